import { answerOf, rpcFailure } from "../chain/rpcErrors.ts";
import { endpointWords, isAnswered } from "../endpointWords.ts";
import { listAttempts } from "../jobs/openTransactions.ts";
import type { AccountContext } from "./accountContext.ts";
import { feesOf } from "./feesOf.ts";
import type { ChainView } from "./readChainView.ts";
import { minimumTipOf, type RefusalKind, refusalKindOf } from "./refusals.ts";

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
  const { chain, database, metrics } = context;
  const { nonce, raw } = transaction;
  try {
    await chain.provider.send("eth_sendRawTransaction", [raw]);
    return { state: "sent" };
  } catch (error) {
    const attempts = await listAttempts({ database, nonce });
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
