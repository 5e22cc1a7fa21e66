import type { Block } from "ethers";
import { latestBlock } from "../../verifier/pageViews.ts";
import { answerRequests } from "./answerRequests.ts";
import { demandProofs } from "./demandProofs.ts";
import { pursueChallenges } from "./pursueChallenges.ts";
import { rejectPages } from "./rejectPages.ts";
import { requestLeaves } from "./requestLeaves.ts";
import type { Due, Step, WatchContext } from "./watchContext.ts";

/** What the role `watch` does besides looking. */
export const WATCH_STEPS: readonly Step[] = [
  pursueChallenges,
  demandProofs,
  requestLeaves,
  answerRequests,
  rejectPages,
];

/**
 * One pass over everything that is to be sent. What is on its way is looked after first, whatever it is for: a transaction
 * that is stuck holds up all later ones of the account. Where something is due soon, the higher ceiling is that of all.
 * The steps see a head that has all that was mined: by an older one, also that of an endpoint that lags, what was just
 * done would still be to do.
 */
export function createActPass(
  context: WatchContext,
  steps: readonly Step[],
  dues: readonly Due[],
): () => Promise<boolean> {
  const { logger, senders } = context;
  let lastMined = 0;
  return async () => {
    const before = await latestBlock(context);
    const sender = (await isUrgent(context, before, dues)) ? senders.urgent : senders.calm;
    for (const { purpose, receipt } of await sender.tend()) {
      const fields = { purpose, transaction: receipt.hash, block: receipt.blockNumber };
      lastMined = Math.max(lastMined, receipt.blockNumber);
      if (receipt.status === 1) logger.info(fields, "mined");
      else logger.warn(fields, "reverted: somebody else was quicker, or the chain has changed");
    }
    const head = await latestBlock(context);
    if (head.number < lastMined) return false;
    for (const step of steps) await step({ context, sender, head });
    return false;
  };
}

async function isUrgent(
  context: WatchContext,
  head: Block,
  dues: readonly Due[],
): Promise<boolean> {
  const now = BigInt(head.timestamp);
  for (const due of dues) {
    const last = await due({ context, now });
    if (last !== undefined && last - now < context.senders.urgentSeconds) return true;
  }
  return false;
}
