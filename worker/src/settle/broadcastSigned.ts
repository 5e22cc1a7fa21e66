import { broadcastAttempt } from "../account/broadcastAttempt.ts";
import type { ChainView } from "../account/readChainView.ts";
import { replaceAttempt } from "../account/replaceAttempt.ts";
import type { Job } from "../queue/job.ts";
import { recordBroadcast } from "../queue/recordBroadcast.ts";
import { giveUpNonce } from "./giveUpNonce.ts";
import type { Settler } from "./settler.ts";

/**
 * Sends the recorded transaction of a proven job. One that the base fee has overtaken since it was signed is replaced;
 * one whose nonce is used up by another is given up. Returns whether the job moved on.
 */
export async function broadcastSigned(parameters: {
  settler: Settler;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { settler, view, job } = parameters;
  const { database, logger } = settler;
  const { requestId, transaction } = job;
  if (transaction === null) return false;
  const { hash, nonce } = transaction;
  const fate = await broadcastAttempt({ sender: settler, view, transaction });
  if (fate === "taken") return await giveUpNonce({ settler, view, job });
  if (fate === "underpriced") return await replaceAttempt({ sender: settler, view, transaction });
  settler.crashAfter("broadcast");
  const moved = await recordBroadcast({ database, requestId, transactionHash: hash });
  settler.crashAfter("submitted");
  if (moved) logger.info({ requestId, transaction: hash, nonce }, "submitted");
  return moved;
}
