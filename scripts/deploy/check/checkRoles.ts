import type { AddressBook } from "@haca/protocol/addressBook";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import { ROLES, type RoleName } from "@haca/protocol/roles";
import { type Contract, type EventLog, ZeroAddress } from "ethers";
import { TIMELOCK_ROLES } from "../modules/governance.ts";
import { type Finding, finding } from "./finding.ts";

type GetContract = (name: string, address: string) => Promise<Contract>;

const list = (accounts: Iterable<string>): string =>
  [...accounts]
    .map((account) => account.toLowerCase())
    .sort()
    .join(", ") || "nobody";

/**
 * Who holds which role, in both contracts that know roles: every account that was ever granted one is asked about,
 * so that nobody is overlooked. Among what this shows is that the deployer holds none.
 */
export async function checkRoles(parameters: {
  book: AddressBook;
  getContract: GetContract;
}): Promise<Finding[]> {
  const { book, getContract } = parameters;
  const { AccessManager, TimelockController, HacaGovernor } = book.contracts;
  const { governance } = book.parameters;
  if (!TimelockController || !HacaGovernor || !governance) return [];
  const timelock = await getContract("TimelockController", TimelockController.address);
  const manager = await getContract("AccessManager", AccessManager.address);

  const timelockHolders: Record<keyof typeof TIMELOCK_ROLES, string[]> = {
    DEFAULT_ADMIN_ROLE: [TimelockController.address],
    PROPOSER_ROLE: [HacaGovernor.address],
    CANCELLER_ROLE: [HacaGovernor.address, governance.guardian],
    EXECUTOR_ROLE: [ZeroAddress],
  };
  const managerHolders: Record<RoleName, string[]> = {
    ADMIN: [TimelockController.address],
    GOVERNANCE: [TimelockController.address],
    GUARDIAN: [governance.guardian],
    IMAGE_APPROVER: [TimelockController.address, governance.imageApprover],
    REGISTRAR: [],
  };
  const findings: Finding[] = [];

  const timelockGrants = (await timelock.queryFilter(
    "RoleGranted",
    TimelockController.block,
  )) as EventLog[];
  for (const [name, expected] of Object.entries(timelockHolders)) {
    const role = TIMELOCK_ROLES[name as keyof typeof TIMELOCK_ROLES];
    const holders = await holdersOf(timelockGrants, role, (account) =>
      timelock.getFunction("hasRole")(role, account),
    );
    findings.push(finding(`TimelockController ${name} is held by`, list(expected), list(holders)));
  }

  const managerGrants = (await manager.queryFilter(
    "RoleGranted",
    AccessManager.block,
  )) as EventLog[];
  const known = new Set<bigint>(Object.values(ROLES));
  const strangers = managerGrants.filter(({ args }) => !known.has(args.roleId));
  findings.push(finding("AccessManager roles beyond the table", 0, strangers.length));
  for (const [name, expected] of Object.entries(managerHolders)) {
    const role = ROLES[name as RoleName];
    const holders = await holdersOf(managerGrants, role, async (account) => {
      const [isMember] = await manager.getFunction("hasRole")(role, account);
      return isMember;
    });
    findings.push(finding(`AccessManager ${name} is held by`, list(expected), list(holders)));
  }
  const approver = await manager.getFunction("getAccess")(
    ROLES.IMAGE_APPROVER,
    governance.imageApprover,
  );
  findings.push(
    finding("delay of the image approver", IMAGE_APPROVAL_DELAY, approver.currentDelay),
    finding(
      "guardian of IMAGE_APPROVER",
      ROLES.GUARDIAN,
      await manager.getFunction("getRoleGuardian")(ROLES.IMAGE_APPROVER),
    ),
  );
  return findings;
}

async function holdersOf(
  grants: readonly EventLog[],
  role: string | bigint,
  isHolder: (account: string) => Promise<boolean>,
): Promise<Set<string>> {
  const holders = new Set<string>();
  for (const { args } of grants) {
    if ((args[0] as string | bigint) !== role) continue;
    if (await isHolder(args.account)) holders.add(args.account);
  }
  return holders;
}
