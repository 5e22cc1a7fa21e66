import { RefusedByEndpointError } from "../errors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import type { AccountContext } from "./accountContext.ts";
import { broadcastAttempt, minimumTip, type Refusal } from "./broadcastAttempt.ts";
import { feesOf } from "./feesOf.ts";
import type { ChainView } from "./readChainView.ts";
import { replaceAttempt } from "./replaceAttempt.ts";

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

function refused(
  transaction: Pick<RecordedTransaction, "hash" | "nonce">,
  refusal: Refusal,
): RefusedByEndpointError {
  const { hash, nonce } = transaction;
  return new RefusedByEndpointError({
    code: `transaction.${refusal.kind}`,
    message: `the endpoint does not take transaction ${hash} (nonce ${nonce}): ${refusal.message}`,
  });
}
