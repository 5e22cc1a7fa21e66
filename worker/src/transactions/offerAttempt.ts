import { RefusedByEndpointError } from "../errors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import { broadcastAttempt, minimumTip, type Refusal } from "./broadcastAttempt.ts";
import { feesOf } from "./feesOf.ts";
import type { ChainView } from "./readChainView.ts";
import { replaceAttempt } from "./replaceAttempt.ts";
import type { Sender } from "./sender.ts";

/** Kinds of refusals that higher fees end. A full pool has room for who pays more than the cheapest in it. */
const ABOUT_FEES: readonly Refusal["kind"][] = [
  "underpriced",
  "replacementUnderpriced",
  "poolFull",
];

/**
 * Sends the current attempt of a transaction. Where no endpoint has taken it and its fees are why, it is replaced by one
 * that offers more, and that one is sent: the same bytes would be refused for ever. Returns the hash of what was sent.
 * @throws RefusedByEndpointError where this transaction is not taken for now; others may be
 */
export async function offerAttempt(parameters: {
  sender: Sender;
  view: ChainView;
  transaction: RecordedTransaction;
}): Promise<{ state: "sent"; hash: string } | { state: "taken" }> {
  const { sender, view, transaction } = parameters;
  const fate = await broadcastAttempt({ sender, view, transaction });
  if (fate.state === "sent") return { state: "sent", hash: transaction.hash };
  if (fate.state === "taken") return fate;
  const fees = ABOUT_FEES.includes(fate.kind)
    ? sender.gate.raiseRefused({
        previous: feesOf(transaction.raw),
        market: view.market,
        minimumTip: minimumTip(fate),
        isOld: transaction.ageMs >= sender.replaceMs,
      })
    : undefined;
  const raised = fees && (await replaceAttempt({ sender, view, transaction, fees }));
  if (raised === undefined) throw refused(transaction, fate);
  if (raised.fate.state === "refused") throw refused({ ...transaction, ...raised }, raised.fate);
  return raised.fate.state === "sent" ? { state: "sent", hash: raised.hash } : raised.fate;
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
