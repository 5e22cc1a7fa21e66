import { TIMELOCK_ROLES } from "@haca/protocol/roles";
import { getAddress, getCreateAddress, isAddress, ZeroAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { contractAt } from "../../lib/contracts.ts";
import { readAllLogs } from "../../lib/readAllLogs.ts";
import { isCodeOf, requireCreation } from "../deployBeforehand.ts";
import type { ActionContext, Deployment } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

export const TIMELOCK = "TimelockController";

type Chain = Pick<ActionContext, "book" | "provider">;

/**
 * A timelock in which the governor alone proposes and everybody executes. The present timelock, which only acts on
 * proposals, administers it until it has let the guardian cancel there: no account ever can.
 */
export function describeTimelock(
  { book }: Chain,
  parameters: { delay: bigint; predecessor: string; address: string },
): Deployment {
  const { delay, predecessor, address } = parameters;
  return {
    contract: TIMELOCK,
    constructorArguments: [delay, [addressOf(book, "HacaGovernor")], [ZeroAddress], predecessor],
    address,
    words: "a timelock in which the governor alone proposes, administered by the present one",
  };
}

/** The one that the account's next transaction would create. */
export async function planTimelock(
  context: ActionContext,
  parameters: { delay: bigint; predecessor: string },
): Promise<Deployment> {
  const { account: from, provider } = context;
  const nonce = await provider.getTransactionCount(from);
  return describeTimelock(context, { ...parameters, address: getCreateAddress({ from, nonce }) });
}

/**
 * One that is there already. Its creation is compared with what this repository's source and these parameters give; and
 * nothing may have happened in it since, so that it has no other role, no other delay and nothing scheduled.
 * Error: `governance.badArgument`, with what is wrong with it.
 */
export async function findTimelock(
  context: Chain,
  parameters: { delay: bigint; predecessor: string; address: string; transaction: string },
): Promise<Deployment> {
  const { provider } = context;
  const { delay, predecessor, transaction } = parameters;
  if (!isAddress(parameters.address) || (await provider.getCode(parameters.address)) === "0x") {
    throw refuse(`there is no contract ${parameters.address}`);
  }
  const address = getAddress(parameters.address);
  const timelock = describeTimelock(context, { delay, predecessor, address });
  const block = await requireTimelock({ ...context, timelock, transaction });
  const logs = await readAllLogs({ provider, address, topics: [], fromBlock: block });
  const later = logs.find(({ transactionHash }) => transactionHash !== transaction.toLowerCase());
  if (later !== undefined) {
    throw refuse(
      `something has happened in ${address} since it was created, in transaction ${later.transactionHash}: take one that is as it was made`,
    );
  }
  await requireState(context, timelock, { delay, predecessor });
  return timelock;
}

/** The block of the transaction that created it, by this repository's code. Error: `governance.badArgument`. */
export async function requireTimelock(
  parameters: Pick<Chain, "provider"> & { timelock: Deployment; transaction: string },
): Promise<number> {
  const { provider, timelock, transaction } = parameters;
  const described =
    "TimelockController with that delay, the governor as its only proposer and the present timelock as its administrator";
  const block = await requireCreation({ provider, deployment: timelock, transaction, described });
  if (await isCodeOf({ ...timelock, provider })) return block;
  throw refuse(`${timelock.address} is not this repository's ${described}`);
}

/** Delay and roles as they are now, whatever follows from its creation. Error: `governance.badArgument`. */
async function requireState(
  { book, provider }: Chain,
  { address }: Deployment,
  expected: { delay: bigint; predecessor: string },
): Promise<void> {
  const contract = contractAt({ name: TIMELOCK, address, runner: provider });
  const actual = await contract.getMinDelay();
  if (actual !== expected.delay) throw refuse(`the delay of ${address} is ${actual} s`);
  const governor = addressOf(book, "HacaGovernor");
  for (const [role, account] of [
    ["PROPOSER_ROLE", governor],
    ["CANCELLER_ROLE", governor],
    ["EXECUTOR_ROLE", ZeroAddress],
    ["DEFAULT_ADMIN_ROLE", address],
    ["DEFAULT_ADMIN_ROLE", expected.predecessor],
  ] as const) {
    if (await contract.hasRole(TIMELOCK_ROLES[role], account)) continue;
    throw refuse(`${account} does not hold ${role} in ${address}`);
  }
}
