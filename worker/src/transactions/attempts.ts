import { Transaction } from "ethers";
import { answerOf, rpcFailure } from "../chain/rpcErrors.ts";
import { endpointWords, isAnswered } from "../endpointWords.ts";
import { RefusedByEndpointError } from "../errors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import type { AccountContext } from "./accountContext.ts";
import { type Fees, feesOf } from "./fees.ts";
import type { ChainView } from "./readChainView.ts";
import { minimumTipOf, type RefusalKind, refusalKindOf } from "./refusals.ts";
import { type Call, signCall } from "./signCall.ts";

/**
 * What became of bytes that were sent. `taken`: the nonce is used up by a transaction that is not recorded here.
 * `refused`: the endpoint does not take them, and no attempt under the nonce is known to it.
 */
export type Broadcast = { state: "sent" } | { state: "taken" } | Refusal;
export type Refusal = { state: "refused"; kind: RefusalKind; message: string };

/**
 * Sends recorded bytes, the first time or again: with the same nonce, so that they can be mined at most once however
 * often they are sent. Where the endpoint refuses them, the chain decides before its words do. An endpoint that does
 * not answer, or refuses whatever it is sent, is thrown, to be tried again later.
 */
export async function broadcastAttempt(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: { nonce: number; raw: string };
}): Promise<Broadcast> {
  const { context, view, transaction } = parameters;
  const { chain, metrics, store } = context;
  const { nonce, raw } = transaction;
  try {
    await chain.provider.send("eth_sendRawTransaction", [raw]);
    return { state: "sent" };
  } catch (error) {
    const attempts = await store.listAttempts(nonce);
    for (const { hash } of attempts) {
      if ((await answerOf(chain.provider.getTransaction(hash))) !== null) return { state: "sent" };
    }
    if (view.confirmedNonce > nonce) return { state: "taken" };
    const message = endpointWords(error) ?? "";
    // Whatever it says: nobody mines a transaction that does not pay the base fee.
    const isBelowBaseFee = feesOf(raw).maxFeePerGas < view.market.baseFee;
    const kind = isBelowBaseFee ? "underpriced" : refusalKindOf(message);
    if (kind === "known") return { state: "sent" };
    if (!isAnswered(error) || kind === "endpoint") throw rpcFailure(error);
    metrics.transactions.inc({ event: "refused" });
    return { state: "refused", kind, message };
  }
}

/** The lowest tip that would have been taken, in wei per gas; undefined where the endpoint does not say. */
export const minimumTip = ({ message }: Refusal): bigint | undefined => minimumTipOf(message);

/**
 * Signs the same call, or another one in its place, with the same nonce and other fees, records it, and sends it. One of
 * the two is mined, never both. Returns undefined, and does nothing, where somebody else was quicker.
 */
export async function replaceAttempt(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: Pick<RecordedTransaction, "hash" | "nonce" | "raw">;
  fees: Fees;
  /** where it is another one, with its gas */
  instead?: { call: Call; gasLimit: bigint };
}): Promise<{ hash: string; outcome: Broadcast } | undefined> {
  const { context, view, transaction, fees, instead } = parameters;
  const { logger, metrics, store, wallet } = context;
  const { nonce } = transaction;
  const replacing = Transaction.from(transaction.raw);
  const { chainId, data, to } = replacing;
  const { call, gasLimit } = instead ?? { call: { to, data }, gasLimit: replacing.gasLimit };
  const { hash, raw } = await signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  const replaced = transaction.hash;
  if (!(await store.recordReplacement({ replaced, replacement: { hash, raw } }))) {
    return undefined;
  }
  metrics.transactions.inc({ event: "replaced" });
  logger.info(
    { transaction: hash, nonce, replaced, maxFeePerGasWei: fees.maxFeePerGas.toString() },
    "replaced with higher fees",
  );
  const outcome = await broadcastAttempt({ context, view, transaction: { nonce, raw } });
  if (outcome.state === "sent") await store.recordSent(hash);
  return { hash, outcome };
}

/** Kinds of refusals that higher fees end. A full pool has room for who pays more than the cheapest in it. */
const ABOUT_FEES: readonly Refusal["kind"][] = [
  "underpriced",
  "replacementUnderpriced",
  "poolFull",
];

/** What the endpoint did with an attempt: `taken` where the nonce is used up by a transaction that is not recorded here. */
export type Offered = { state: "sent"; hash: string } | { state: "taken" };

/**
 * Sends the current attempt of a transaction. Where no endpoint has taken it and its fees are why, it is replaced by one
 * that offers more, and that one is sent: the same bytes would be refused for ever. Returns the hash of what was sent.
 * @throws RefusedByEndpointError where this transaction is not taken for now; others may be
 */
export async function offerAttempt(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: RecordedTransaction;
}): Promise<Offered> {
  const { context, view, transaction } = parameters;
  const outcome = await broadcastAttempt({ context, view, transaction });
  if (outcome.state === "sent") return { state: "sent", hash: transaction.hash };
  if (outcome.state === "taken") return outcome;
  const fees = ABOUT_FEES.includes(outcome.kind)
    ? context.gate.raiseRefused({
        previous: feesOf(transaction.raw),
        market: view.market,
        minimumTip: minimumTip(outcome),
        isOld: transaction.ageMs >= context.replaceMs,
      })
    : undefined;
  const raised = fees && (await replaceAttempt({ context, view, transaction, fees }));
  if (raised === undefined) throw refused(transaction, outcome);
  if (raised.outcome.state === "refused")
    throw refused({ ...transaction, ...raised }, raised.outcome);
  return raised.outcome.state === "sent" ? { state: "sent", hash: raised.hash } : raised.outcome;
}

/** A refusal in words, for whom it has to wait for. */
export function refused(
  transaction: Pick<RecordedTransaction, "hash" | "nonce">,
  refusal: Refusal,
): RefusedByEndpointError {
  const { hash, nonce } = transaction;
  return new RefusedByEndpointError({
    code: `transaction.${refusal.kind}`,
    message: `the endpoint does not take transaction ${hash} (nonce ${nonce}): ${refusal.message}`,
  });
}
