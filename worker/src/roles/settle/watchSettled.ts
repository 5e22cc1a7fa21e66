import { answerOf } from "../../chain/rpcErrors.ts";
import {
  finaliseSettled,
  listSettledBlocks,
  listSettledIn,
  reopenSettled,
} from "../../jobs/finality.ts";
import type { SettleContext } from "./settleContext.ts";

/**
 * Compares the blocks that hold recent settlements with the chain's. A block that is no longer there sends
 * its jobs back to `submitted`, where the same transaction is looked for in its new block, or sent again.
 * Settlements deeper than `reorgBlocks` are final. Returns how many jobs went back.
 */
export async function watchSettled(parameters: {
  context: SettleContext;
  head: number;
}): Promise<number> {
  const { context, head } = parameters;
  const { chain, database, logger, reorgBlocks } = context;
  let reopened = 0;
  for (const { number, hash } of await listSettledBlocks({ database })) {
    const block = await answerOf(chain.provider.getBlock(number));
    if (block?.hash === hash) continue;
    for (const { requestId, transaction } of await listSettledIn({ database, blockHash: hash })) {
      if (transaction === null) continue;
      const transactionHash = transaction.hash;
      if (!(await reopenSettled({ database, requestId, transactionHash }))) continue;
      reopened += 1;
      logger.warn({ requestId, transaction: transactionHash, block: number }, "block reorganised");
    }
  }
  await finaliseSettled({ database, upToBlock: head - reorgBlocks });
  return reopened;
}
