import { isSettled } from "../../chain/isSettled.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import { decideForeignSettled, listForeignSettled } from "../../jobs/finality.ts";
import type { Settler } from "./settler.ts";

/**
 * Asks again for settlements by transactions of somebody else, until they are deeper than `reorgBlocks`: where one is
 * gone, the job is settled by the node after all. Returns how many jobs went back.
 */
export async function watchForeign(parameters: {
  settler: Settler;
  head: number;
}): Promise<number> {
  const { settler, head } = parameters;
  const { chain, database, logger, reorgBlocks } = settler;
  let reopened = 0;
  for (const { requestId, seenAtBlock } of await listForeignSettled({ database })) {
    if (await answerOf(isSettled({ chain, requestId, block: head }))) {
      if (head - seenAtBlock < reorgBlocks) continue;
      await decideForeignSettled({ database, requestId, verdict: "final" });
    } else if (await decideForeignSettled({ database, requestId, verdict: "gone" })) {
      reopened += 1;
      logger.warn({ requestId }, "the settlement by somebody else is gone");
    }
  }
  return reopened;
}
