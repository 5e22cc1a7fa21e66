import { randomInt } from "node:crypto";
import { placesOf } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { pageInterface } from "../../chain/chain.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { KnownTree } from "../../verifier/knownTree.ts";
import { countRequests } from "../../verifier/leafRequests.ts";
import { type PageView, viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { listShown } from "../../verifier/shownLeaves.ts";
import { hasUnread } from "../../verifier/unreadTransactions.ts";
import { listUnreadable, type WatchedPage } from "../../verifier/watchedPages.ts";
import { isChallenged } from "./challenges.ts";
import type { Step, WatchContext } from "./watchContext.ts";

/** Pages that a pass looks at. */
const LIMIT = 64;
/** Smallest units of OPG for the first request of a page that is open. */
const LEAF_DEPOSIT = 10n ** 19n;
const MAXIMUM_DOUBLINGS = 7n;
/** A request is made so long before the last moment for it, in seconds. */
const MARGIN_SECONDS = 7_200n;

/** Of the next request of a page, as the contract counts: twice as much with each that is open, seven times at most. */
const depositOf = ({ openRequests }: PageView): bigint =>
  LEAF_DEPOSIT << (openRequests < MAXIMUM_DOUBLINGS ? openRequests : MAXIMUM_DOUBLINGS);

type Parameters = { context: WatchContext; sender: Sender; head: Block };

/**
 * Walks the tree of pages whose blob cannot be read, or does not lead to the root: asks for a leaf, and when it was shown for the
 * next one, until all are known, the page has fallen, or the deposits that are lost by it reach their ceiling. Each request is
 * for a place that nobody can foresee, among those that teach most. What is shown is read from the transaction that shows it,
 * kept, and judged like any other leaf. Where the time for requests ends, what is left is asked for side by side.
 */
export const requestLeaves: Step = async ({ context, head, sender }) => {
  const { database } = context;
  if (context.requestLeaves === 0) return;
  for (const page of await listUnreadable({ database, limit: LIMIT })) {
    await withDuty({
      ...{ database, name: `request ${page.pageId}` },
      work: () => requestLeaf({ context, sender, head, page }),
    });
  }
};

async function requestLeaf(parameters: Parameters & { page: WatchedPage }): Promise<void> {
  const { context, head, page, sender } = parameters;
  const { chain, database, logger } = context;
  const { header, pageId, unreadableSeconds } = page;
  const requester = sender.account;
  // What is known already ends it.
  if (await isChallenged({ database, pageId })) return;
  const end = ` for page ${pageId.slice(0, 18)}`;
  if (await hasUnread({ database, begin: "request ", end })) return;
  const { deposit, made, open } = await countRequests({
    ...{ database, pageId, requester, wants: "leaf" },
  });
  if (made >= context.requestLeaves) return;
  const view = await viewPage({ context, pageId, block: head.number });
  const now = BigInt(head.timestamp);
  if (view.state !== "pending" || now > view.lastRequest) return;
  // Others' requests are not waited for: a proposer could ask for leaves themselves until it is too late for anybody else.
  const isOld = (unreadableSeconds ?? 0) >= context.requestAfterSeconds && open === 0;
  const isLate = now + MARGIN_SECONDS >= view.lastRequest;
  if (!isOld && !isLate) return;
  if (deposit + depositOf(view) > context.requestBudget) return;
  const place = await placeToAsk(context, page);
  if (place === undefined) return;
  const data = pageInterface.encodeFunctionData("requestLeaf", [header, place]);
  const purpose = `request ${made + 1}${end}`;
  const sent = await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
  const fields = { page: pageId, place };
  if (sent.state === "sent") logger.warn(fields, "page not readable: asking for a leaf");
  if (sent.state !== "refused") return;
  const error = sent.revert.message;
  logger.error({ ...fields, error }, "a leaf cannot be asked for: deposit OPG for this account");
}

/**
 * The place whose answer teaches most of the tree, one at random where several do; of those that nobody has asked for yet, and
 * that are not known.
 */
async function placeToAsk(
  context: WatchContext,
  { header, pageId }: WatchedPage,
): Promise<number | undefined> {
  const sql = "SELECT DISTINCT place FROM leaf_requests WHERE page_id = $1 AND wants = 'leaf'";
  const rows = await context.database.query(sql, [pageId]);
  const asked = new Set(rows.map(({ place }) => Number(place)));
  const tree = new KnownTree(await listShown({ context, pageId }));
  const best = tree.bestOf(placesOf(header).filter((place) => !asked.has(place)));
  return best.length === 0 ? undefined : best[randomInt(best.length)];
}
