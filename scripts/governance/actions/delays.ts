import { ROLES, type RoleName } from "@haca/protocol/roles";
import { toBeHex, zeroPadValue } from "ethers";
import { nextBlockTime } from "../../lib/chainSession.ts";
import { readAllLogs } from "../../lib/readAllLogs.ts";
import { duration, isoTime } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import { MANAGER, managerCall, readContract, readDelay, readRole } from "./accessManager.ts";
import type { Action, ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** How long what the AccessManager lets happen has to wait: three kinds of delay, all ADMIN's to set. */

/** A delay that was set and does not hold yet. */
type Pending = { delay: bigint; since: bigint };

const wait = (delay: bigint): string => (delay === 0n ? "at once" : `after ${duration(delay)}`);

const describePending = (pending: Pending | undefined): string =>
  pending === undefined ? "" : ` (from ${isoTime(pending.since)} on: ${wait(pending.delay)})`;

/** The last change of a delay, if its time has not come. The manager has a view for neither kind. */
export async function readPending(
  context: ActionContext,
  event: "RoleGrantDelayChanged" | "TargetAdminDelayUpdated",
  subject: string,
): Promise<Pending | undefined> {
  const { book, provider } = context;
  const manager = deployed(context, MANAGER);
  const logs = await readAllLogs({
    provider,
    address: manager.target,
    topics: [manager.interface.getEvent(event)?.topicHash ?? "", subject],
    fromBlock: book.contracts.AccessManager.block,
  });
  const last = logs.at(-1);
  const args = last && manager.interface.parseLog(last)?.args;
  if (args === undefined || args.since <= (await nextBlockTime(provider))) return undefined;
  return { delay: args.delay, since: args.since };
}

/** When a change begins to count: the manager lets nobody be surprised by a delay that shrinks. */
async function effectOf(context: ActionContext, before: bigint, after: bigint): Promise<string> {
  const minimum = await deployed(context, MANAGER).minSetback();
  const shrunk = before > after ? before - after : 0n;
  return `in force ${duration(minimum > shrunk ? minimum : shrunk)} after the execution`;
}

export const setAdminDelay: Action = {
  name: "set-admin-delay",
  usage: "<contract> <delay in seconds>",
  summary: "makes ADMIN wait before it changes who may call a contract",
  by: "proposal",
  functions: ["AccessManager.setTargetAdminDelay(address,uint32)"],
  build: async (context) => {
    const { name, target } = readContract(context);
    const delay = readDelay(context);
    const current = await deployed(context, MANAGER).getTargetAdminDelay(target);
    const pending = await readPending(context, "TargetAdminDelayUpdated", zeroPadValue(target, 32));
    if (current === delay && pending === undefined) {
      throw refuse(`ADMIN's changes about ${name} are made ${wait(delay)} already`);
    }
    return {
      calls: [
        managerCall(context, {
          fragment: "function setTargetAdminDelay(address target, uint32 newDelay)",
          arguments: [target, delay],
          words:
            `what ADMIN changes about ${name} ${target} (roles of its functions, closing, opening): ` +
            `${wait(current)}${describePending(pending)} -> ${wait(delay)}, ${await effectOf(context, current, delay)}; ` +
            "with a delay one proposal schedules such a change and another makes it",
        }),
      ],
    };
  },
};

export const setGrantDelay: Action = {
  name: "set-grant-delay",
  usage: "<role> <delay in seconds>",
  summary: "makes new members of a role wait until they have it",
  by: "proposal",
  functions: ["AccessManager.setGrantDelay(uint64,uint32)"],
  build: async (context) => {
    const role = readRole(context, "role");
    const delay = readDelay(context);
    const current = await deployed(context, MANAGER).getRoleGrantDelay(ROLES[role]);
    const subject = toBeHex(ROLES[role], 32);
    const pending = await readPending(context, "RoleGrantDelayChanged", subject);
    if (current === delay && pending === undefined) {
      throw refuse(`a new member of ${role} has it ${wait(delay)} already`);
    }
    return {
      calls: [
        managerCall(context, {
          fragment: "function setGrantDelay(uint64 roleId, uint32 newDelay)",
          arguments: [ROLES[role], delay],
          words:
            `a new member of ${role} has the role: ${wait(current)}${describePending(pending)} -> ${wait(delay)}, ` +
            `${await effectOf(context, current, delay)}; who has it already keeps it`,
        }),
      ],
    };
  },
};

export const setExecutionDelay: Action = {
  name: "set-execution-delay",
  usage: "<role> <account> <delay in seconds>",
  summary: "makes a member of a role wait with each of its calls",
  by: "proposal",
  functions: ["AccessManager.grantRole(uint64,address,uint32)"],
  build: async (context) => {
    const role = readRole(context, "role");
    const account = context.values.address("account");
    const delay = readDelay(context);
    const [since, current, pendingDelay, effect] = await deployed(context, MANAGER).getAccess(
      ...([ROLES[role], account] as const),
    );
    if (since === 0n) throw refuse(`${account} does not hold ${role}: grant-role gives it`);
    const pending = effect === 0n ? undefined : { delay: pendingDelay, since: effect };
    if (current === delay && pending === undefined) {
      throw refuse(`calls of ${account} as ${role} are made ${wait(delay)} already`);
    }
    const when =
      current > delay
        ? `${duration(current - delay)} after the execution`
        : "from the execution on";
    return {
      calls: [
        managerCall(context, {
          // The manager's function for a delay, too: who has the role has it afterwards as before.
          fragment: "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
          arguments: [ROLES[role], account, delay],
          words:
            `calls of ${account} as ${role}: ${wait(current)}${describePending(pending)} -> ${wait(delay)}, ${when}` +
            consequenceOf({
              role,
              delay,
              isTimelock: account === context.book.contracts.TimelockController?.address,
            }),
        }),
      ],
    };
  },
};

/** What those who look at a number of seconds may not see. */
function consequenceOf(change: { role: RoleName; delay: bigint; isTimelock: boolean }): string {
  const { role, delay, isTimelock } = change;
  if (isTimelock && delay > 0n) {
    return "; a proposal then only schedules what needs that role, and another one makes it";
  }
  if (role === "GUARDIAN" && delay > 0n) {
    return "; what the guardian takes away it then takes that much later, and can be seen coming";
  }
  if (role === "IMAGE_APPROVER" && !isTimelock) {
    return "; that is the time in which the guardian can cancel an approval";
  }
  return "";
}
