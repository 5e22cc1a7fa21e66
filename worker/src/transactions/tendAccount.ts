import type { TransactionReceipt } from "ethers";
import { describeError, RefusedByEndpointError } from "../errors.ts";
import { listOpenTransactions } from "../jobs/openTransactions.ts";
import { dropTransaction, recordMined } from "../jobs/transactions.ts";
import { fillGap } from "./fillGap.ts";
import { type Fate, followTransaction } from "./followTransaction.ts";
import type { ChainView } from "./readChainView.ts";
import type { Sender } from "./sender.ts";

/**
 * Looks after the transactions of the account that settle no job, which are those of `sendTransaction`, and after
 * holes in its nonces, which would hold up everything behind them. A role that sends transactions calls this in each
 * of its passes; several may.
 */
export async function tendAccount(parameters: {
  sender: Sender;
  view: ChainView;
  /** told once per transaction, when it has its confirmations; `status` of the receipt says whether it reverted */
  onMined?: (mined: { purpose: string; receipt: TransactionReceipt }) => void;
}): Promise<void> {
  const { sender, view, onMined } = parameters;
  const { database, logger, metrics } = sender;
  for (const { purpose, transaction } of await listOpenTransactions({ database })) {
    const fate = await followTransaction({ sender, view, transaction }).catch(
      (error: unknown): Fate => {
        if (!(error instanceof RefusedByEndpointError)) throw error;
        logger.warn({ purpose, error: describeError(error) }, "refused by the endpoint: later");
        return { state: "waiting" };
      },
    );
    if (fate.state === "mined") {
      const { receipt } = fate;
      const isNews = await recordMined({ database, receipt });
      if (isNews) onMined?.({ purpose, receipt });
    } else if (fate.state === "taken") {
      const { hash, nonce } = transaction;
      await dropTransaction({ database, transactionHash: hash });
      metrics.transactions.inc({ event: "taken" });
      logger.warn({ purpose, transaction: hash, nonce }, "nonce taken by another transaction");
    }
  }
  await fillGap({ sender, view });
}
