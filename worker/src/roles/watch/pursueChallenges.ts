import { EVIDENCE_WINDOW } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { callView, pageInterface } from "../../chain/chain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { deepBlock, type PageView, viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { findWatched, type WatchedPage } from "../../verifier/watchedPages.ts";
import {
  type ChallengeOutcome,
  endChallenge,
  listChallenges,
  type PageChallenge,
} from "./challenges.ts";
import type { WatchContext } from "./watchContext.ts";

/** Challenges that are looked after in a pass. */
const LIMIT = 64;
/**
 * What the contract says of a challenge for which there is no reason any more. One by a second receipt ends so where the leaf has
 * become wrong by itself, which the next look at the page shows.
 */
const GROUNDLESS = [
  ...["PageSettlement_LeafIsGood", "PageSettlement_LeafIsBad", "PageSettlement_NoConflict"],
];

type Parameters = { context: WatchContext; sender: Sender; head: Block };

/**
 * Brings every challenge a step on. Which one is due is read from the chain each time: the commitment, then in a later block
 * the challenge, until the page is refuted, by whomever. A process that dies anywhere leaves everything to the next one, which
 * has the salt.
 */
export async function pursueChallenges({ context, sender, head }: Parameters): Promise<void> {
  const { database } = context;
  for (const challenge of await listChallenges({ database, limit: LIMIT })) {
    const { pageId } = challenge;
    const page = await findWatched({ database, pageId });
    // A reorganisation took it away: it may come back.
    if (page === undefined) continue;
    await withDuty({
      database,
      name: `challenge ${pageId}`,
      work: () => pursue({ context, sender, head, challenge, page }),
    });
  }
}

async function pursue(
  parameters: Parameters & { challenge: PageChallenge; page: WatchedPage },
): Promise<void> {
  const { challenge, context, head, page, sender } = parameters;
  const { chain } = context;
  const { challenger, commitment, leaf, other, pageId, salt } = challenge;
  const view = await viewPage({ context, pageId, block: head.number });
  const outcome = await outcomeOf({ ...parameters, view });
  if (outcome === "undecided") return;
  if (outcome !== undefined) {
    await end(context, challenge, outcome);
    return;
  }
  const contract = "pageSettlement";
  const committed = { chain, contract, name: "committedAt", values: [commitment] } as const;
  const [number] = await answerOf(callView({ ...committed, block: head.number }));
  const to = chain.pageSettlement;
  const short = pageId.slice(0, 18);
  if (number === 0n) {
    const data = pageInterface.encodeFunctionData("commitChallenge", [commitment]);
    const purpose = `commitment for page ${short}`;
    await sendCall({ context, sender, purpose, to, data });
    return;
  }
  // The endpoint would try it in the block of the commitment, where it is refused.
  if ((number as bigint) >= BigInt(head.number)) return;
  const terms = [challenger, salt];
  const data =
    other === undefined
      ? pageInterface.encodeFunctionData("challenge", [page.header, leaf, ...terms])
      : pageInterface.encodeFunctionData("challengeConflict", [
          ...[page.header, leaf, other.result, other.signature, ...terms],
        ]);
  const sent = await sendCall({ context, sender, purpose: `challenge of page ${short}`, to, data });
  if (sent.state !== "refused") return;
  context.logger.warn({ page: pageId, error: sent.revert.message }, "challenge refused: later");
  if (GROUNDLESS.includes(sent.revert.name)) await end(context, challenge, "withdrawn");
}

/** How a challenge has ended; `undecided` where a reorganisation could still take that back. */
async function outcomeOf(parameters: {
  context: WatchContext;
  head: Block;
  challenge: PageChallenge;
  page: WatchedPage;
  view: PageView;
}): Promise<ChallengeOutcome | "undecided" | undefined> {
  const { challenge, context, head, page, view } = parameters;
  const { pageId } = challenge;
  const { end: endsAt, state } = view;
  if (state === undefined) return "undecided";
  if (state === "released") return "late";
  if (state === "final" && BigInt(head.timestamp) > endsAt + EVIDENCE_WINDOW) return "late";
  if (state === "pending" || state === "final") return undefined;
  const block = deepBlock(head.number, context);
  if ((await viewPage({ context, pageId, block })).state !== state) return "undecided";
  // Whose account got the reward stands in an event, which is read a moment later.
  if (page.refutedBy === null) return "undecided";
  return page.refutedBy === challenge.challenger ? "won" : "forestalled";
}

async function end(
  context: WatchContext,
  challenge: PageChallenge,
  outcome: ChallengeOutcome,
): Promise<void> {
  const { database, logger, metrics } = context;
  const { pageId, reason } = challenge;
  if (!(await endChallenge({ database, pageId, outcome }))) return;
  metrics.challenges.inc({ outcome });
  const fields = { page: pageId, place: challenge.leaf.index, reason };
  if (outcome === "won") logger.info(fields, "challenge won: the reward is in the account");
  else if (outcome === "forestalled") logger.info(fields, "somebody else has refuted the page");
  else if (outcome === "withdrawn")
    logger.warn(fields, "challenge withdrawn: there is no reason for it any more");
  else logger.error(fields, "too late for a challenge: the page stands");
}
