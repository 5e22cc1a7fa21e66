import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import type { Audit } from "./audit.ts";
import { type Change, isBefore } from "./events.ts";

/** Who was given power when the deployment was handed over; undefined where nobody was. */
export type Holders = {
  deployer: string | undefined;
  /** undefined: the deployment was not handed over */
  timelock: string | undefined;
  governor: string | undefined;
  guardian: string | undefined;
  imageApprover: string | undefined;
};

/**
 * Guardian and image approver are a deployment's to choose. They are the ones who had the roles at the hand-over; of
 * several, the one who can also cancel operations is the guardian, and the others are findings.
 */
export function findHolders(audit: Audit): Holders {
  const { history, contracts } = audit;
  const manager = contracts.get("AccessManager") ?? "";
  const timelock = contracts.get("TimelockController");
  const governor = contracts.get("HacaGovernor");
  const membersOf = (role: bigint): string[] =>
    replay(history.of(manager, "RoleGranted", "RoleRevoked"), history.handover, (change) =>
      change.args.roleId === role ? change.args.account : undefined,
    );
  const cancellers = replay(
    history.of(timelock, "RoleGranted", "RoleRevoked"),
    history.handover,
    ({ args }) => (args.role === TIMELOCK_ROLES.CANCELLER_ROLE ? args.account : undefined),
  ).filter((account) => account !== governor);
  const guardians = membersOf(ROLES.GUARDIAN);
  return {
    deployer: audit.constructed.get(manager)?.[0] as string | undefined,
    timelock,
    governor,
    guardian: guardians.find((account) => cancellers.includes(account)) ?? guardians[0],
    imageApprover: membersOf(ROLES.IMAGE_APPROVER).find((account) => account !== timelock),
  };
}

/** Who held a role up to some change, or now. */
export function replay(
  changes: readonly Change[],
  until: Change | undefined,
  accountOf: (change: Change) => string | undefined,
): string[] {
  const members = new Set<string>();
  for (const change of changes) {
    if (until !== undefined && isBefore(until, change)) break;
    const account = accountOf(change);
    if (account === undefined) continue;
    if (change.event === "RoleGranted") members.add(account);
    else members.delete(account);
  }
  return [...members];
}
