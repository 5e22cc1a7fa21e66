import { isSettled, settledAmong } from "../../chain/chain.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import { decideExternalSettled, listExternalSettled } from "../../jobs/finality.ts";
import type { Job } from "../../jobs/job.ts";
import { recordExternalSettlement } from "../../jobs/settlements.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import type { SettleContext } from "./settleContext.ts";

/** Records which requests are settled by transactions that are not in this queue. Returns their ids. */
export async function acceptExternal(parameters: {
  context: SettleContext;
  view: ChainView;
  jobs: readonly Job[];
}): Promise<string[]> {
  const { context, view } = parameters;
  const { chain, database, logger } = context;
  const requestIds = parameters.jobs.map(({ requestId }) => requestId);
  const settled = await answerOf(settledAmong({ chain, requestIds, block: view.head }));
  if (settled.size > 0) await requireSameChain(chain);
  for (const requestId of settled) {
    logger.warn({ requestId }, "settled by a transaction that is not in this queue");
    await recordExternalSettlement({ database, requestId, head: view.head });
  }
  return [...settled];
}

/**
 * Asks again for settlements by transactions of somebody else, until they are deeper than `reorgBlocks`: where one is
 * gone, the job is settled by the node after all. Returns how many jobs went back.
 */
export async function watchExternal(parameters: {
  context: SettleContext;
  head: number;
}): Promise<number> {
  const { context, head } = parameters;
  const { chain, database, logger, reorgBlocks } = context;
  let reopened = 0;
  for (const { requestId, seenAtBlock } of await listExternalSettled({ database })) {
    if (await answerOf(isSettled({ chain, requestId, block: head }))) {
      if (head - seenAtBlock < reorgBlocks) continue;
      await decideExternalSettled({ database, requestId, outcome: "final" });
    } else if (await decideExternalSettled({ database, requestId, outcome: "gone" })) {
      reopened += 1;
      logger.warn({ requestId }, "the settlement by somebody else is gone");
    }
  }
  return reopened;
}
