import { answerOf } from "../chain/rpcErrors.ts";
import type { AccountContext } from "./accountContext.ts";
import { broadcastAttempt } from "./attempts.ts";
import type { ChainView } from "./readChainView.ts";
import { signCall } from "./signCall.ts";

/** Gas of a transfer without data. */
const TRANSFER_GAS = 21_000n;

/**
 * Fills the nonce gap that holds up the account: the chain waits for a nonce of which it has no transaction, while later
 * ones of ours have been on their way for a while. A transaction of that nonce that is recorded here (a reorganisation took it away) is
 * sent again; otherwise the account sends itself nothing.
 */
export async function fillGap(parameters: {
  context: AccountContext;
  view: ChainView;
}): Promise<void> {
  const { context, view } = parameters;
  const { chain, gate, logger, metrics, rebroadcastMs, store, wallet } = context;
  const nonce = view.nextNonce;
  if (!(await store.findGap({ nonce, patienceMs: rebroadcastMs }))) return;
  const pending = await answerOf(chain.provider.getTransactionCount(wallet.address, "pending"));
  if (pending > nonce) return;
  const [recorded] = await store.listAttempts(nonce);
  if (recorded !== undefined) {
    logger.warn({ nonce, transaction: recorded.hash }, "missing from the chain: sending again");
    await broadcastAttempt({ context, view, transaction: { nonce, raw: recorded.raw } });
    return;
  }
  const fees = gate.choose(view.market);
  if (fees === undefined) return;
  const { chainId } = chain;
  const call = { to: wallet.address, data: "0x" };
  const gasLimit = TRANSFER_GAS;
  const { hash, raw } = await signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  if (!(await store.recordFiller({ nonce, hash, raw }))) return;
  metrics.transactions.inc({ event: "gapFilled" });
  logger.warn({ nonce, transaction: hash }, "no transaction has this nonce: filling the gap");
  // Refused, it is an open transaction like any other: the next pass offers it with higher fees.
  const outcome = await broadcastAttempt({ context, view, transaction: { nonce, raw } });
  if (outcome.state === "sent") await store.recordSent(hash);
}
