import { answerOf, rpcFailure } from "../chain/rpcErrors.ts";
import { listAttempts } from "../queue/listAttempts.ts";
import { feesOf } from "./feesOf.ts";
import type { ChainView } from "./readChainView.ts";
import type { Sender } from "./sender.ts";

/**
 * Sends recorded bytes, the first time or again: with the same nonce, so that they can be mined at most once however
 * often they are sent.
 *
 * Where the endpoint refuses them, the chain decides: `sent` where it knows this or another attempt under the nonce;
 * `taken` where the nonce is used up by a transaction that is not recorded here; `underpriced` where its fees are below
 * the base fee. Anything else is thrown, to be tried again later.
 */
export async function broadcastAttempt(parameters: {
  sender: Sender;
  view: ChainView;
  transaction: { nonce: number; raw: string };
}): Promise<"sent" | "taken" | "underpriced"> {
  const { sender, view, transaction } = parameters;
  const { chain, database } = sender;
  const { nonce, raw } = transaction;
  try {
    await chain.provider.send("eth_sendRawTransaction", [raw]);
    return "sent";
  } catch (error) {
    const attempts = await listAttempts({ database, nonce });
    for (const { hash } of attempts) {
      if ((await answerOf(chain.provider.getTransaction(hash))) !== null) return "sent";
    }
    if (view.confirmedNonce > nonce) return "taken";
    if (feesOf(raw).maxFeePerGas < view.market.baseFee) return "underpriced";
    throw rpcFailure(error);
  }
}
