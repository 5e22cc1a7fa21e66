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
    for (const transactionHash of await listSettledIn({ database, blockHash: hash })) {
      const requestIds = await reopenSettled({ database, transactionHash });
      if (requestIds.length === 0) continue;
      reopened += requestIds.length;
      const fields = { transaction: transactionHash, block: number };
      logger.warn({ requestIds, ...fields }, "block reorganised");
    }
  }
  await finaliseSettled({ database, upToBlock: head - reorgBlocks });
  return reopened;
}
