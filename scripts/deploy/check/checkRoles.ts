import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { IMAGE_APPROVAL_DELAY } from "@haca/protocol/attestationParameters";
import { ROLES, type RoleName } from "@haca/protocol/roles";
import { isoTime, printable } from "../../lib/words.ts";
import { compiledContract } from "../compiled/compiledContract.ts";
import { type Audit, type Fact, judgeFacts } from "./audit.ts";
import type { Change } from "./events.ts";
import { unexpected } from "./finding.ts";
import type { Holders } from "./holders.ts";

const PUBLIC_ROLE = 2n ** 64n - 1n;

/** Everything in the AccessManager that gives or bounds power. */
export async function checkRoles(audit: Audit, holders: Holders): Promise<void> {
  judgeFacts(audit, [
    ...(await memberFacts(audit, holders)),
    ...(await roleFacts(audit, holders)),
    ...(await targetFacts(audit, holders)),
  ]);
}

/** `GUARDIAN`, or the number of a role that the project does not know. */
function roleName(role: bigint): string {
  if (role === PUBLIC_ROLE) return "PUBLIC_ROLE (everybody)";
  const known = Object.entries(ROLES).find(([, id]) => id === role);
  return known === undefined ? `role ${role}` : known[0];
}

const member = (delay: bigint | number): string => `member, delay ${delay} s`;
const NO_MEMBER = "no member";

/** Every account that ever was given a role, and those that should have one. */
async function memberFacts(audit: Audit, holders: Holders): Promise<Fact[]> {
  const { history, reader, head, names } = audit;
  const manager = audit.contracts.get("AccessManager") ?? "";
  const changes = history.of(manager, "RoleGranted", "RoleRevoked");
  const expected = new Map<string, string>();
  const expect = (role: RoleName, account: string | undefined, delay: number): void => {
    if (account !== undefined) expected.set(`${ROLES[role]} ${account}`, member(delay));
  };
  if (holders.timelock === undefined) {
    expect("ADMIN", holders.deployer, 0);
    if (audit.isDevelopmentChain) {
      for (const { args } of changes) {
        if (args.roleId !== ROLES.IMAGE_APPROVER || args.account !== holders.deployer) continue;
        expect("IMAGE_APPROVER", holders.deployer, 0);
      }
    }
  } else {
    expect("ADMIN", holders.timelock, 0);
    expect("GOVERNANCE", holders.timelock, 0);
    expect("IMAGE_APPROVER", holders.timelock, 0);
    expect("IMAGE_APPROVER", holders.imageApprover, IMAGE_APPROVAL_DELAY);
    expect("GUARDIAN", holders.guardian, 0);
  }
  const keys = new Set([
    ...expected.keys(),
    ...changes.map(({ args }) => `${args.roleId} ${args.account}`),
  ]);
  const facts: Fact[] = [];
  for (const key of keys) {
    const [role = "", account = ""] = key.split(" ");
    const [since, delay, pending, effect] = await reader.view(
      manager,
      "function getAccess(uint64 role, address account) view returns (uint48, uint32, uint32, uint48)",
      ...[BigInt(role), account],
    );
    const isLater = since > BigInt(head.timestamp) ? `, from ${isoTime(since)} on` : "";
    const isPending = effect !== 0n ? `, delay ${pending} s from ${isoTime(effect)} on` : "";
    facts.push({
      subject: `AccessManager ${roleName(BigInt(role))}: ${names.of(account)}`,
      expected: expected.get(key) ?? NO_MEMBER,
      actual: since === 0n ? NO_MEMBER : `${member(delay)}${isLater}${isPending}`,
      changes: changes.filter(({ args }) => `${args.roleId} ${args.account}` === key),
    });
  }
  return facts;
}

/** Administrator, guardian, grant delay and label of every role that is known, or was ever touched. */
async function roleFacts(audit: Audit, holders: Holders): Promise<Fact[]> {
  const { history, reader } = audit;
  const manager = audit.contracts.get("AccessManager") ?? "";
  const touched = history.of(manager).flatMap(({ args }) => {
    const { roleId, admin, guardian } = args.toObject();
    return [roleId, admin, guardian].filter((role): role is bigint => typeof role === "bigint");
  });
  const facts: Fact[] = [];
  for (const role of new Set([...Object.values(ROLES), ...touched])) {
    if (role === PUBLIC_ROLE) continue; // nothing of it can be changed
    const name = roleName(role);
    const changes = (event: string) =>
      history.of(manager, event).filter(({ args }) => args.roleId === role);
    const view = async (fragment: string): Promise<bigint> =>
      (await reader.view(manager, fragment, role))[0];
    const isApprover = role === ROLES.IMAGE_APPROVER && holders.timelock !== undefined;
    const delayChanges = changes("RoleGrantDelayChanged");
    const isLabelled = role !== ROLES.ADMIN && holders.timelock !== undefined;
    facts.push(
      {
        subject: `AccessManager: administrator of ${name}`,
        expected: roleName(ROLES.ADMIN),
        actual: roleName(await view("function getRoleAdmin(uint64 role) view returns (uint64)")),
        changes: changes("RoleAdminChanged"),
      },
      {
        subject: `AccessManager: guardian of ${name}`,
        expected: roleName(isApprover ? ROLES.GUARDIAN : ROLES.ADMIN),
        actual: roleName(await view("function getRoleGuardian(uint64 role) view returns (uint64)")),
        changes: changes("RoleGuardianChanged"),
      },
      {
        subject: `AccessManager: grant delay of ${name}`,
        expected: "0 s",
        actual: `${await view("function getRoleGrantDelay(uint64 role) view returns (uint32)")} s${pendingOf(audit, delayChanges)}`,
        changes: delayChanges,
      },
      {
        subject: `AccessManager: label of ${name}`,
        expected: isLabelled && name in ROLES ? name : "none",
        actual: printable(changes("RoleLabel").at(-1)?.args.label ?? "none"),
        changes: changes("RoleLabel"),
      },
    );
  }
  return facts;
}

/** Which role every function needs, and whether a target is closed, or its rules change late. */
async function targetFacts(audit: Audit, holders: Holders): Promise<Fact[]> {
  const { history, reader, names, findings, instances } = audit;
  const manager = audit.contracts.get("AccessManager") ?? "";
  const facts: Fact[] = [];
  for (const target of new Set([...instances.keys(), ...audit.targets])) {
    const contract = instances.get(target);
    if (contract === undefined) {
      findings.push(
        unexpected(
          `AccessManager: rules for ${target}`,
          "none",
          "it is no contract of the deployment",
        ),
      );
    }
    const rules = history
      .of(manager, "TargetFunctionRoleUpdated")
      .filter(({ args }) => args.target === target);
    const table = new Map(
      ACCESS_TABLE.filter(
        (rule) =>
          rule.contract === contract &&
          !(rule.contract === "InferenceSettlement" && holders.timelock === undefined),
      ).flatMap(({ role, functions }) =>
        functions.map((signature) => [selectorOf(signature), ROLES[role]] as const),
      ),
    );
    const functions = contract === undefined ? new Map() : await functionsOf(contract);
    const selectors = new Set([
      ...table.keys(),
      ...functions.keys(),
      ...rules.map(({ args }) => args.selector as string),
    ]);
    for (const selector of selectors) {
      const [role] = await reader.view(
        manager,
        "function getTargetFunctionRole(address target, bytes4 selector) view returns (uint64)",
        ...[target, selector],
      );
      facts.push({
        subject: `${names.short(target)}.${functions.get(selector) ?? selector} needs`,
        expected: roleName(table.get(selector) ?? ROLES.ADMIN),
        actual: roleName(role),
        changes: rules.filter(({ args }) => args.selector === selector),
      });
    }
    facts.push(...(await switchFacts(audit, target)));
    facts.push(...(await authorityFacts(audit, target)));
  }
  return facts;
}

/** Signatures of the functions that change something, by selector. Only restricted ones heed a rule; all are looked at. */
async function functionsOf(contract: Parameters<typeof compiledContract>[0]) {
  const functions = new Map<string, string>();
  const { abi } = await compiledContract(contract);
  const isManaged = abi.getFunction("authority()") !== null;
  abi.forEachFunction(({ selector, name, stateMutability }) => {
    if (stateMutability !== "view" && stateMutability !== "pure" && isManaged) {
      functions.set(selector, name);
    }
  });
  return functions;
}

async function switchFacts(audit: Audit, target: string): Promise<Fact[]> {
  const { history, reader, names } = audit;
  const manager = audit.contracts.get("AccessManager") ?? "";
  const changes = (event: string) =>
    history.of(manager, event).filter(({ args }) => args.target === target);
  const [isClosed] = await reader.view(
    ...([manager, "function isTargetClosed(address target) view returns (bool)", target] as const),
  );
  const [delay] = await reader.view(
    ...([
      manager,
      "function getTargetAdminDelay(address target) view returns (uint32)",
      target,
    ] as const),
  );
  const delayChanges = changes("TargetAdminDelayUpdated");
  return [
    {
      subject: `AccessManager: ${names.of(target)} is`,
      expected: "open",
      actual: isClosed ? "closed" : "open",
      changes: changes("TargetClosed"),
    },
    {
      subject: `AccessManager: administration delay of ${names.of(target)}`,
      expected: "0 s",
      actual: `${delay} s${pendingOf(audit, delayChanges)}`,
      changes: delayChanges,
    },
  ];
}

async function authorityFacts(audit: Audit, target: string): Promise<Fact[]> {
  const { history, reader, names } = audit;
  const changes = history.of(target, "AuthorityUpdated");
  if (changes.length === 0) return [];
  const [authority] = await reader.view(target, "function authority() view returns (address)");
  return [
    {
      subject: `authority of ${names.of(target)}`,
      expected: audit.contracts.get("AccessManager") ?? "",
      actual: authority,
      // The first one is the constructor's.
      changes: changes.slice(1),
    },
  ];
}

/** A delay that was set and does not hold yet. */
function pendingOf(audit: Audit, changes: readonly Change[]): string {
  const last = changes.at(-1)?.args;
  return last !== undefined && Number(last.since) > audit.head.timestamp
    ? `, ${last.delay} s from ${isoTime(last.since)} on`
    : "";
}
