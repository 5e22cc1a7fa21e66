import { isSettled } from "../../chain/isSettled.ts";
import { requireSameChain } from "../../chain/requireSameChain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Job } from "../../jobs/job.ts";
import { recordForeignSettlement } from "../../jobs/settlements.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import type { Settler } from "./settler.ts";

/** Records that a transaction which is not in this queue settled a request. Returns whether one did. */
export async function acceptForeign(parameters: {
  settler: Settler;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { settler, view, job } = parameters;
  const { chain, database, logger } = settler;
  const { requestId } = job;
  if (!(await answerOf(isSettled({ chain, requestId, block: view.head })))) return false;
  await requireSameChain(chain);
  logger.warn({ requestId }, "settled by a transaction that is not in this queue");
  return await recordForeignSettlement({ database, requestId, head: view.head });
}
