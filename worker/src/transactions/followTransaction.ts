import type { TransactionReceipt } from "ethers";
import { answerOf } from "../chain/rpcErrors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import type { AccountContext } from "./accountContext.ts";
import { offerAttempt, replaceAttempt } from "./attempts.ts";
import { feesOf } from "./fees.ts";
import type { ChainView } from "./readChainView.ts";

/**
 * `mined`: one of the attempts, which is the current one now, has its confirmations. `taken`: the nonce is used up and
 * no attempt has a receipt. `waiting`: neither; what was due is done.
 */
export type Outcome =
  | { state: "mined"; raw: string; receipt: TransactionReceipt }
  | { state: "taken" }
  | { state: "waiting" };

/**
 * Looks after a transaction that was sent: finds the receipt of any attempt under its nonce, replaces it when it is
 * old, and sends it again when it has been silent.
 * @throws RefusedByEndpointError where this transaction is not taken for now; others may be
 */
export async function followTransaction(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: RecordedTransaction;
}): Promise<Outcome> {
  const { context, view, transaction } = parameters;
  const { logger, metrics, store } = context;
  const { hash, nonce } = transaction;
  const found = await findOutcome(parameters);
  if (found !== undefined) return found;
  if (isDueForReplacement({ context, view, transaction })) {
    const fees = context.gate.raise({ previous: feesOf(transaction.raw), market: view.market });
    const replaced = fees && (await replaceAttempt({ context, view, transaction, fees }));
    if (replaced !== undefined) return { state: "waiting" };
  }
  if (isSilent({ transaction, milliseconds: context.rebroadcastMs })) {
    logger.info({ transaction: hash, nonce }, "sending again");
    metrics.transactions.inc({ event: "rebroadcast" });
    const offered = await offerAttempt({ context, view, transaction });
    if (offered.state === "taken") return offered;
    await store.recordSent(offered.hash);
  }
  return { state: "waiting" };
}

/**
 * What became of a transaction by now, without doing anything about it; undefined while no attempt has a receipt and the
 * nonce is not used up.
 */
export async function findOutcome(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: Pick<RecordedTransaction, "hash" | "nonce">;
}): Promise<Outcome | undefined> {
  const { context, view, transaction } = parameters;
  const { confirmations, store } = context;
  const { hash, nonce } = transaction;
  const mined = await findMined({ context, nonce });
  if (mined !== undefined) {
    if (view.head - mined.receipt.blockNumber + 1 < confirmations) return { state: "waiting" };
    if (mined.receipt.hash !== hash) await store.promote(mined.receipt.hash);
    return { state: "mined", ...mined };
  }
  if (view.confirmedNonce <= nonce) return undefined;
  // Asked once more: it may have been mined between the two questions.
  const late = await findMined({ context, nonce });
  return late === undefined ? { state: "taken" } : { state: "waiting" };
}

async function findMined(parameters: {
  context: AccountContext;
  nonce: number;
}): Promise<{ raw: string; receipt: TransactionReceipt } | undefined> {
  const { context, nonce } = parameters;
  const { chain, store } = context;
  for (const { hash, raw } of await store.listAttempts(nonce)) {
    const receipt = await answerOf(chain.provider.getTransactionReceipt(hash));
    if (receipt !== null) return { raw, receipt };
  }
  return undefined;
}

/**
 * Old enough, and either the one that all later ones wait for, or cheaper than the next block: raising one that only
 * waits for its predecessor would buy nothing.
 */
function isDueForReplacement(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: RecordedTransaction;
}): boolean {
  const { context, transaction, view } = parameters;
  const { ageMs, nonce, raw, silentMs } = transaction;
  // What was never taken is offered first: its fees are raised where they are refused.
  if (silentMs === null || ageMs < context.replaceMs) return false;
  const { baseFee, tip } = view.market;
  return nonce === view.nextNonce || feesOf(raw).maxFeePerGas < baseFee + tip;
}

/** A transaction that was not sent yet, or that a reorganisation took away, is silent at once. */
function isSilent(parameters: { transaction: RecordedTransaction; milliseconds: number }): boolean {
  const { silentMs } = parameters.transaction;
  return silentMs === null || silentMs >= parameters.milliseconds;
}
