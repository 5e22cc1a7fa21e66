import { randomInt } from "node:crypto";
import { placesOf } from "@haca/protocol/pageSettlement";
import type { Block } from "ethers";
import { pageInterface } from "../../chain/chain.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { countRequests } from "../../verifier/leafRequests.ts";
import { viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { listUnreadable, type WatchedPage } from "../../verifier/watchedPages.ts";
import type { Step, WatchContext } from "./watchContext.ts";

/** Pages that a pass looks at. */
const LIMIT = 64;
/** A request is made so long before the last moment for it, in seconds. */
const MARGIN_SECONDS = 7_200n;

type Parameters = { context: WatchContext; sender: Sender; head: Block };

/**
 * Asks for leaves of pages whose blob cannot be read, or does not lead to the root. One at a time, in a place that nobody can
 * foresee: a proposer who shows a good one has to show another one after that. What is shown is read from the transaction that
 * shows it, and judged like any other leaf.
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
  const { made, open } = await countRequests({
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
  const place = await placeToAsk(context, page);
  if (place === undefined) return;
  const data = pageInterface.encodeFunctionData("requestLeaf", [header, place]);
  const purpose = `request ${made + 1} for page ${pageId.slice(0, 18)}`;
  const sent = await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
  const fields = { page: pageId, place };
  if (sent.state === "sent") logger.warn(fields, "page not readable: asking for a leaf");
  if (sent.state !== "refused") return;
  const error = sent.revert.message;
  logger.error({ ...fields, error }, "a leaf cannot be asked for: deposit OPG for this account");
}

/** A place of the page at random, of those that nobody has asked for yet. */
async function placeToAsk(
  context: WatchContext,
  { header, pageId }: WatchedPage,
): Promise<number | undefined> {
  const sql = "SELECT DISTINCT place FROM leaf_requests WHERE page_id = $1 AND wants = 'leaf'";
  const rows = await context.database.query(sql, [pageId]);
  const asked = new Set(rows.map(({ place }) => Number(place)));
  const places = placesOf(header).filter((place) => !asked.has(place));
  return places.length === 0 ? undefined : places[randomInt(places.length)];
}
