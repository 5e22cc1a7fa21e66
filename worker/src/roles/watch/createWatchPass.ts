import { ANSWER_TIME, EVIDENCE_WINDOW } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { latestBlock } from "../../verifier/pageViews.ts";
import { answerRequests } from "./answerRequests.ts";
import { demandProofs } from "./demandProofs.ts";
import { pursueChallenges } from "./pursueChallenges.ts";
import { rejectPages } from "./rejectPages.ts";
import { requestLeaves } from "./requestLeaves.ts";
import type { Step, WatchContext } from "./watchContext.ts";

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
 */
export function createActPass(
  context: WatchContext,
  steps: readonly Step[],
): () => Promise<boolean> {
  const { logger, senders } = context;
  return async () => {
    const head = await latestBlock(context);
    const sender = (await isUrgent(context, head)) ? senders.urgent : senders.calm;
    for (const { purpose, receipt } of await sender.tend()) {
      const fields = { purpose, transaction: receipt.hash, block: receipt.blockNumber };
      if (receipt.status === 1) logger.info(fields, "mined");
      else logger.warn(fields, "reverted: somebody else was quicker, or the chain has changed");
    }
    for (const step of steps) await step({ context, sender, head });
    return false;
  };
}

/**
 * A page that is final can still be disproved, but who relied on it has done so: what counts is its end. Leaves can be asked for
 * until a day before that.
 */
const NEXT_END = `SELECT least(
  min(CASE WHEN p.ends_at >= $1::numeric THEN p.ends_at ELSE p.ends_at + $2::numeric END) FILTER (WHERE p.is_due),
  min(p.ends_at - $3::numeric) FILTER (WHERE p.state = 'pending' AND p.verdict = 'unreadable' AND p.ends_at - $3::numeric >= $1::numeric)
)::text AS due
FROM (
  SELECT w.state, w.verdict, w.ends_at, (
    EXISTS (SELECT 1 FROM page_challenges c WHERE c.page_id = w.page_id AND c.state = 'open')
    OR w.state = 'pending' AND EXISTS (SELECT 1 FROM doubted_leaves d WHERE d.page_id = w.page_id)
  ) AS is_due
  FROM watched_pages w WHERE w.closed_at IS NULL
) p`;

async function isUrgent(context: WatchContext, head: Block): Promise<boolean> {
  const { database, senders } = context;
  const now = BigInt(head.timestamp);
  const [row] = await database.query(NEXT_END, [
    ...[String(now), String(EVIDENCE_WINDOW), String(ANSWER_TIME)],
  ]);
  return row?.due != null && BigInt(row.due as string) - now < senders.urgentSeconds;
}
