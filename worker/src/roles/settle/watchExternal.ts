import { isSettled } from "../../chain/isSettled.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import { decideExternalSettled, listExternalSettled } from "../../jobs/finality.ts";
import type { SettleContext } from "./settleContext.ts";

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
