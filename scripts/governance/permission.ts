import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import { BaseError } from "@haca/protocol/baseError";
import { ROLES } from "@haca/protocol/roles";
import { addressOf } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { duration } from "../lib/words.ts";
import { MANAGER, managerCall } from "./actions/accessManager.ts";
import type { ActionContext, Plan } from "./actions/action.ts";
import { type Call, deployed, encodeCall, nameOfCall } from "./call.ts";

/** What the AccessManager allows an account: at once, after a delay of so many seconds, or (undefined) nothing. */
export type Permission = { delay: bigint } | undefined;

type Asked = { manager: ContractOf<"AccessManager">; account: string; call: Call };

/** The manager's own functions whose delay is that of the contract which they are about. */
const ABOUT_TARGETS = ["setTargetClosed", "setTargetFunctionRole", "updateAuthority"];
/** Those that the administrator of the role calls which they are about. */
const ABOUT_MEMBERS = ["grantRole", "revokeRole"];
/** Those that ask for nothing by themselves: what is executed was allowed when it was scheduled. */
const OPEN = ["execute"];

/** Asks as the AccessManager does when the call comes. Of calls to itself it tells nobody beforehand. */
export async function permissionOf({ manager, account, call }: Asked): Promise<Permission> {
  if (call.target !== manager.target) {
    const selector = encodeCall(call).slice(0, 10);
    const [isImmediate, delay] = await manager.canCall(account, call.target, selector);
    if (isImmediate) return { delay: 0n };
    return delay === 0n ? undefined : { delay };
  }
  const name = nameOfCall(call);
  if (OPEN.includes(name)) return { delay: 0n };
  const { isMember, executionDelay } = await manager.hasRole(await roleFor(manager, call), account);
  if (!isMember) return undefined;
  const setback = ABOUT_TARGETS.includes(name)
    ? await manager.getTargetAdminDelay(String(call.arguments[0]))
    : 0n;
  return { delay: setback > executionDelay ? setback : executionDelay };
}

/** The role that a call needs. */
export async function roleFor(manager: Asked["manager"], call: Call): Promise<bigint> {
  if (call.target !== manager.target) {
    return await manager.getTargetFunctionRole(call.target, encodeCall(call).slice(0, 10));
  }
  if (!ABOUT_MEMBERS.includes(nameOfCall(call))) return ROLES.ADMIN;
  return await manager.getRoleAdmin(BigInt(String(call.arguments[0])));
}

/** Whether the AccessManager has a say in who makes a call; other contracts know the timelock themselves. */
const isManaged = ({ contract }: Call): boolean =>
  contract === MANAGER || ACCESS_TABLE.some((rule) => rule.contract === contract);

/**
 * The calls as a proposal makes them: one for which the timelock's role has a delay in the AccessManager is
 * scheduled there, to be made by another proposal. Error: `governance.refused`, where some of them could be made at
 * once and others only scheduled, so that for a while half of a change would hold.
 */
export async function asTimelock(
  context: Pick<ActionContext, "book" | "provider">,
  { calls }: Plan,
): Promise<readonly Call[]> {
  const manager = deployed(context, MANAGER);
  const account = addressOf(context.book, "TimelockController");
  const delays = await Promise.all(
    calls.map(async (call) =>
      isManaged(call) ? ((await permissionOf({ manager, account, call }))?.delay ?? 0n) : 0n,
    ),
  );
  if (delays.every((delay) => delay === 0n)) return calls;
  const [immediate, delayed] = [delays.indexOf(0n), delays.findIndex((delay) => delay > 0n)];
  const [first, second] = [calls[immediate], calls[delayed]];
  if (first !== undefined && second !== undefined) {
    throw new BaseError({
      code: "governance.refused",
      message: `${nameOfCall(first)} would be made at once, and ${nameOfCall(second)} only ${duration(delays[delayed] ?? 0n)} later: first take the timelock's delay in the AccessManager back (set-execution-delay, set-admin-delay)`,
    });
  }
  return calls.map((call, index) =>
    managerCall(context, {
      fragment:
        "function schedule(address target, bytes data, uint48 when) returns (bytes32 operationId, uint32 nonce)",
      arguments: [call.target, encodeCall(call), 0],
      words: `${call.words}; it is only scheduled: due ${duration(delays[index] ?? 0n)} after the execution, and made by a second proposal, execute-scheduled, within a week from then`,
    }),
  );
}
