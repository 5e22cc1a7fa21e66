import { ROLES, type RoleName, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { toBeHex } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { readAllLogs } from "../../lib/readAllLogs.ts";
import { duration, opg } from "../../lib/words.ts";
import { type Call, deployed } from "../call.ts";
import { readProposals, stateOf } from "../proposals.ts";
import { MANAGER, MAXIMUM_DELAY, managerCall } from "./accessManager.ts";
import type { Action, ActionContext } from "./action.ts";
import { readPending } from "./delays.ts";
import { findTimelock, planTimelock, TIMELOCK } from "./newTimelock.ts";
import { refuse } from "./teeRegistry.ts";

/** A role that the present timelock holds in the AccessManager. */
type Held = { role: RoleName; delay: bigint };

/**
 * Hands the whole governance to another timelock, in one proposal, which holds whole or not at all: the guardian may
 * cancel there, it holds what the present one holds in the AccessManager, and the governor goes by it. With
 * `updateTimelock` alone the governor would be left with a timelock that may do nothing.
 */
export const replaceTimelock: Action = {
  name: "replace-timelock",
  usage: "<delay in seconds> [<timelock> <its transaction>]",
  summary: "hands the whole governance to another timelock",
  by: "proposal",
  functions: [
    "TimelockController.grantRole(bytes32,address)",
    "TimelockController.renounceRole(bytes32,address)",
    "AccessManager.grantRole(uint64,address,uint32)",
    "AccessManager.revokeRole(uint64,address)",
    "HacaGovernor.updateTimelock(address)",
  ],
  build: async (context) => {
    const { book, values } = context;
    const predecessor = await currentTimelock(context);
    const timelock = deployed(context, TIMELOCK);
    const floor = await timelock.MINIMUM_DELAY();
    const delay = values.integer("delay", { minimum: 0n, maximum: MAXIMUM_DELAY });
    if (delay < floor) {
      throw refuse(
        `a timelock's delay is never below ${floor} s (${duration(floor)}), got ${delay} s`,
      );
    }
    const held = await rolesOf(context, predecessor);
    const address = values.optional();
    const next =
      address === undefined
        ? await planTimelock(context, { delay, predecessor })
        : await findTimelock(context, {
            ...{ delay, predecessor, address },
            transaction: values.text("its transaction"),
          });
    const before = await timelock.getMinDelay();
    const inNext = { contract: TIMELOCK, target: next.address };
    const calls: Call[] = [
      ...(await cancellersOf(context, predecessor)).map((account) => ({
        ...inNext,
        fragment: "function grantRole(bytes32 role, address account)",
        arguments: [TIMELOCK_ROLES.CANCELLER_ROLE, account],
        words: `${account} may cancel proposals in the new timelock ${next.address} as in the present one`,
      })),
      ...held.map(({ role, delay: wait }) =>
        managerCall(context, {
          fragment: "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
          arguments: [ROLES[role], next.address, wait],
          words: `the new timelock ${next.address} gets the role ${role}${wait === 0n ? "" : `, with a delay of ${duration(wait)}`}`,
        }),
      ),
      {
        ...inNext,
        fragment: "function renounceRole(bytes32 role, address callerConfirmation)",
        arguments: [TIMELOCK_ROLES.DEFAULT_ADMIN_ROLE, predecessor],
        words: `the present timelock ${predecessor} administers the new one no more: nobody does but its own proposals`,
      },
      {
        ...{ contract: "HacaGovernor", target: addressOf(book, "HacaGovernor") },
        fragment: "function updateTimelock(address newTimelock)",
        arguments: [next.address],
        words:
          `THE WHOLE GOVERNANCE goes from the timelock ${predecessor} (delay ${duration(before)}, never below ${duration(floor)}) ` +
          `to ${next.address} (delay ${duration(delay)}, never below that); ${await treasuryWords(context, predecessor)}; ${await queuedWords(context)}`,
      },
      // ADMIN last: the present timelock needs it for the others.
      ...held.toReversed().map(({ role }) =>
        managerCall(context, {
          fragment: "function revokeRole(uint64 roleId, address account)",
          arguments: [ROLES[role], predecessor],
          words: `the present timelock ${predecessor} loses the role ${role}`,
        }),
      ),
    ];
    return address === undefined ? { calls, deployments: [next] } : { calls };
  },
};

/** The governor's timelock, which the address book has to name. Error: `governance.badArgument`. */
async function currentTimelock(context: ActionContext): Promise<string> {
  const current = await deployed(context, "HacaGovernor").timelock();
  const named = addressOf(context.book, TIMELOCK);
  if (current === named) return current;
  throw refuse(
    `the governor's timelock is ${current}, and the address book names ${named}: record-timelock`,
  );
}

/** Error: `governance.badArgument`, where another account would have to wait for such a role, and nobody had it. */
async function rolesOf(context: ActionContext, timelock: string): Promise<Held[]> {
  const manager = deployed(context, MANAGER);
  const held: Held[] = [];
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const [since, delay] = await manager.getAccess(ROLES[role], timelock);
    if (since === 0n) continue;
    const now = await manager.getRoleGrantDelay(ROLES[role]);
    const subject = toBeHex(ROLES[role], 32);
    // One that is set and not in force yet may be when the proposal is executed.
    const pending = await readPending(context, "RoleGrantDelayChanged", subject);
    const wait = pending !== undefined && pending.delay > now ? pending.delay : now;
    if (wait > 0n) {
      throw refuse(
        `for ${duration(wait)} nobody would hold ${role}, which a new member waits for: first set-grant-delay ${role} 0`,
      );
    }
    held.push({ role, delay });
  }
  return held;
}

/** Who may cancel in a timelock besides the governor. */
async function cancellersOf(context: ActionContext, address: string): Promise<string[]> {
  const { book, provider } = context;
  const timelock = deployed(context, TIMELOCK);
  const event = timelock.interface.getEvent("RoleGranted");
  const logs = await readAllLogs({
    ...{ provider, address, fromBlock: book.contracts[TIMELOCK]?.block ?? 0 },
    topics: [event?.topicHash ?? "", TIMELOCK_ROLES.CANCELLER_ROLE],
  });
  const accounts = logs.map((log) => String(timelock.interface.parseLog(log)?.args.account));
  const cancellers: string[] = [];
  for (const account of new Set(accounts)) {
    if (account === addressOf(book, "HacaGovernor")) continue;
    if (await timelock.hasRole(TIMELOCK_ROLES.CANCELLER_ROLE, account)) cancellers.push(account);
  }
  return cancellers;
}

/** What the present timelock has and cannot hand over, and how it is reached afterwards. */
async function treasuryWords(context: ActionContext, timelock: string): Promise<string> {
  const balance = await deployed(context, "OPG").balanceOf(timelock);
  return (
    `what the treasury has stays the present one's (${opg(balance)}, what vaults pay it, and the say over contributors' grants), ` +
    "and is reached by the governor's proposals there (relay); the new one votes with what it is given until it gives that up (give-up-votes)"
  );
}

async function queuedWords(context: ActionContext): Promise<string> {
  const { book, provider } = context;
  const governor = deployed(context, "HacaGovernor");
  const proposals = await readProposals({
    ...{ provider, governor: governor.target, fromBlock: book.contracts.HacaGovernor?.block ?? 0 },
  });
  const queued: bigint[] = [];
  for (const { proposalId } of proposals) {
    if ((await stateOf(governor, proposalId)) === "queued") queued.push(proposalId);
  }
  const which = queued.length === 0 ? "none now" : queued.join(", ");
  return `proposals that are queued by then (${which}) are lost to the governor, which shows them as canceled`;
}
