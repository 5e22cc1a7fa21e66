import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { Transaction, type TransactionReceipt } from "ethers";
import { RetryableError } from "../../errors.ts";
import { refused, replaceAttempt } from "../../transactions/attempts.ts";
import { feesOf } from "../../transactions/fees.ts";
import { fillGap } from "../../transactions/fillGap.ts";
import {
  findOutcome,
  followTransaction,
  type Outcome,
} from "../../transactions/followTransaction.ts";
import { type ChainView, readChainView } from "../../transactions/readChainView.ts";
import {
  prepareCall,
  sendTransaction,
  WouldRevertError,
} from "../../transactions/sendTransaction.ts";
import {
  type HeartbeatContext,
  RefusedError,
  registryFailure,
  teeRegistryInterface,
} from "./heartbeatContext.ts";

/** The last transaction that was signed and is not known to be mined: what is sent next takes its place. */
export type LastSent = { hash: string; nonce: number; raw: string } | undefined;

type Sending = {
  context: HeartbeatContext;
  name: string;
  values: readonly unknown[];
  lastSent: { value: LastSent };
};
type Call = { name: string; to: string; data: string };

/**
 * Simulates a call of the registry, sends it, and returns its receipt. The account is this role's own and has one
 * transaction on its way at most: a call whose time has passed is of no use, so that the next takes its nonce where it is
 * not mined. Nothing is kept on disk: a heartbeat that got lost is made up for by the next.
 * @throws RefusedError where the registry refuses, RetryableError for everything else
 */
export async function sendCall(sending: Sending): Promise<TransactionReceipt> {
  const { context, lastSent, name, values } = sending;
  const { pollMs, rebroadcastMs, registry: to, sender, signal } = context;
  const call = { name, to, data: teeRegistryInterface.encodeFunctionData(name, values) };
  const { nonce } = await sendOrReplace({ context, call, lastSent });
  const deadline = performance.now() + rebroadcastMs;
  for (;;) {
    const view = await readChainView(sender);
    const open = await sender.store.listOpen();
    const transaction = open.find(
      (candidate) => candidate.transaction.nonce === nonce,
    )?.transaction;
    if (transaction === undefined) throw notMined(name, "was given up");
    const outcome = await followTransaction({ context: sender, view, transaction });
    await note({ context, lastSent, outcome });
    if (outcome.state === "mined") return requireCall({ call, ...outcome });
    if (outcome.state === "taken") throw notMined(name, "lost its nonce to another one");
    await fillGap({ context: sender, view });
    if (signal.aborted || performance.now() >= deadline) throw notMined(name, "is not mined yet");
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

const notMined = (name: string, what: string): RetryableError =>
  new RetryableError({ code: "transaction.notMined", message: `${name}: the transaction ${what}` });

type Placing = { context: HeartbeatContext; call: Call; lastSent: { value: LastSent } };

/** A transaction of its own, or one in the place of that which was sent last and is not mined. */
async function sendOrReplace(placing: Placing): Promise<NonNullable<LastSent>> {
  const { call, context, lastSent } = placing;
  const { sender } = context;
  const view = await readChainView(sender);
  if (lastSent.value !== undefined) {
    const outcome = await findOutcome({ context: sender, view, transaction: lastSent.value });
    if (outcome === undefined) return await replace({ ...placing, view, last: lastSent.value });
    await note({ context, lastSent, outcome });
  }
  const { name, ...to } = call;
  const sent = await sendTransaction({ context: sender, view, purpose: name, ...to }).catch(
    (error: unknown) => {
      throw callFailure(error);
    },
  );
  if (sent === undefined) throw tooHigh(context);
  const { hash, nonce, raw } = sent;
  lastSent.value = { hash, nonce, raw };
  if (sent.offered.state === "refused") throw sent.offered.error;
  return lastSent.value;
}

/** Another call under the nonce of the last one, for more: one of the two is mined. */
async function replace(
  parameters: Placing & { view: ChainView; last: NonNullable<LastSent> },
): Promise<NonNullable<LastSent>> {
  const { call, context, last, lastSent, view } = parameters;
  const { sender } = context;
  const { gate, store } = sender;
  const [current] = await store.listAttempts(last.nonce);
  const transaction = { ...last, ...current };
  const fees = gate.raise({ previous: feesOf(transaction.raw), market: view.market });
  if (fees === undefined) throw tooHigh(context);
  const { name: purpose, ...to } = call;
  const instead = await prepareCall({ context: sender, purpose, ...to, fees }).catch(
    (error: unknown) => {
      throw callFailure(error);
    },
  );
  const replaced = await replaceAttempt({ context: sender, view, transaction, fees, instead });
  if (replaced === undefined) throw notMined(purpose, "is replaced already");
  const [attempt] = await store.listAttempts(last.nonce);
  lastSent.value = { ...last, ...attempt };
  const { outcome } = replaced;
  if (outcome.state === "refused") throw refused({ ...last, ...replaced }, outcome);
  return lastSent.value;
}

/** Takes note of how the last transaction ended, if it has. */
async function note(parameters: {
  context: HeartbeatContext;
  lastSent: { value: LastSent };
  outcome: Outcome;
}): Promise<void> {
  const { context, lastSent, outcome } = parameters;
  const { metrics, store } = context.sender;
  if (outcome.state === "waiting") return;
  if (outcome.state === "mined") {
    const { raw, receipt } = outcome;
    const call = teeRegistryInterface.parseTransaction(Transaction.from(raw))?.name;
    context.metrics.gas.observe({ call: call ?? "unknown" }, Number(receipt.gasUsed));
    await store.recordMined(receipt);
  } else if (lastSent.value !== undefined) {
    metrics.transactions.inc({ event: "taken" });
    await store.drop(lastSent.value.hash);
  }
  lastSent.value = undefined;
}

/** The receipt, where what was mined is this call and not one before it whose place it was to take. */
function requireCall(parameters: {
  call: Call;
  raw: string;
  receipt: TransactionReceipt;
}): TransactionReceipt {
  const { call, raw, receipt } = parameters;
  if (Transaction.from(raw).data !== call.data) throw notMined(call.name, "came too late");
  if (receipt.status === 1) return receipt;
  throw new RefusedError({
    code: "revert.mined",
    message: `${call.name}: transaction ${receipt.hash} reverted in block ${receipt.blockNumber}`,
  });
}

const tooHigh = ({ sender }: HeartbeatContext): RetryableError =>
  new RetryableError({
    code: "fees.tooHigh",
    message: `HACA_MAX_FEE_PER_GAS: ${sender.gate.ceiling} wei per gas is too little at the moment`,
  });

/** What the registry refuses, in its words. */
const callFailure = (error: unknown): unknown =>
  error instanceof WouldRevertError ? registryFailure(error.cause) : error;
