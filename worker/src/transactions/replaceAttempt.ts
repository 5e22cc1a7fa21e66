import { Transaction } from "ethers";
import type { RecordedTransaction } from "../jobs/job.ts";
import { recordReplacement, recordSent } from "../jobs/transactions.ts";
import type { AccountContext } from "./accountContext.ts";
import { type Broadcast, broadcastAttempt } from "./broadcastAttempt.ts";
import type { Fees } from "./fees.ts";
import type { ChainView } from "./readChainView.ts";
import { signCall } from "./signCall.ts";

/**
 * Signs the same call with the same nonce and other fees, records it, and sends it. One of the two is mined, never
 * both. Returns undefined, and does nothing, where somebody else was quicker.
 */
export async function replaceAttempt(parameters: {
  context: AccountContext;
  view: ChainView;
  transaction: Pick<RecordedTransaction, "hash" | "nonce" | "raw">;
  fees: Fees;
}): Promise<{ hash: string; outcome: Broadcast } | undefined> {
  const { context, view, transaction, fees } = parameters;
  const { database, logger, metrics, wallet } = context;
  const { nonce } = transaction;
  const { chainId, data, gasLimit, to } = Transaction.from(transaction.raw);
  const call = { to, data };
  const { hash, raw } = await signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  const replaced = transaction.hash;
  if (!(await recordReplacement({ database, replaced, replacement: { hash, raw } }))) {
    return undefined;
  }
  metrics.transactions.inc({ event: "replaced" });
  logger.info(
    { transaction: hash, nonce, replaced, maxFeePerGasWei: fees.maxFeePerGas.toString() },
    "replaced with higher fees",
  );
  const outcome = await broadcastAttempt({ context, view, transaction: { nonce, raw } });
  if (outcome.state === "sent") await recordSent({ database, hash });
  return { hash, outcome };
}
