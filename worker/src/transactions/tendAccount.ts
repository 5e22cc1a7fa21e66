import type { TransactionReceipt } from "ethers";
import { describeError, RefusedByEndpointError } from "../errors.ts";
import type { AccountContext } from "./accountContext.ts";
import { fillGap } from "./fillGap.ts";
import { followTransaction, type Outcome } from "./followTransaction.ts";
import type { ChainView } from "./readChainView.ts";

/**
 * Looks after the transactions of the account that no job waits for, which are those of `sendTransaction`, and after
 * gaps in its nonces, which would hold up everything behind them. A role that sends transactions calls this in each
 * of its passes; several may.
 */
export async function tendAccount(parameters: {
  context: AccountContext;
  view: ChainView;
  /** told once per transaction, when it has its confirmations; `status` of the receipt says whether it reverted */
  onMined?: (mined: { purpose: string; receipt: TransactionReceipt }) => void;
}): Promise<void> {
  const { context, view, onMined } = parameters;
  const { logger, metrics, store } = context;
  for (const { purpose, transaction } of await store.listOpen()) {
    const outcome = await followTransaction({ context, view, transaction }).catch(
      (error: unknown): Outcome => {
        if (!(error instanceof RefusedByEndpointError)) throw error;
        logger.warn({ purpose, error: describeError(error) }, "refused by the endpoint: later");
        return { state: "waiting" };
      },
    );
    if (outcome.state === "mined") {
      const { receipt } = outcome;
      const isNews = await store.recordMined(receipt);
      if (isNews) onMined?.({ purpose, receipt });
    } else if (outcome.state === "taken") {
      const { hash, nonce } = transaction;
      await store.drop(hash);
      metrics.transactions.inc({ event: "taken" });
      logger.warn({ purpose, transaction: hash, nonce }, "nonce taken by another transaction");
    }
  }
  await fillGap({ context, view });
}
