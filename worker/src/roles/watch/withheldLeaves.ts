import { randomInt } from "node:crypto";
import { placesOf } from "@haca/protocol/pageSettlement";
import { type Block, ZeroAddress } from "ethers";
import { callView, pageInterface } from "../../chain/chain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import {
  countRequests,
  endRequest,
  type LeafRequest,
  listRequests,
} from "../../verifier/leafRequests.ts";
import { viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { findWatched, listPages, type WatchedPage } from "../../verifier/watchedPages.ts";
import type { Step } from "./createWatchPass.ts";
import type { WatchContext } from "./watchContext.ts";

/** Pages and requests that a pass looks at. */
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
  const states = ["pending"] as const;
  const unreadable = { database, verdicts: ["unreadable"], states, limit: LIMIT } as const;
  for (const page of await listPages(unreadable)) {
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
  const { made, open } = await countRequests({ database, pageId, requester });
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
  const sql = "SELECT DISTINCT place FROM leaf_requests WHERE page_id = $1";
  const rows = await context.database.query(sql, [pageId]);
  const asked = new Set(rows.map(({ place }) => Number(place)));
  const places = placesOf(header).filter((place) => !asked.has(place));
  return places.length === 0 ? undefined : places[randomInt(places.length)];
}

/**
 * Rejects pages of which a leaf was not shown in time, whoever asked for it; and has this account's deposits back from those
 * that were rejected for another reason.
 */
export const rejectWithheld: Step = async ({ context, head, sender }) => {
  const { database } = context;
  for (const request of await listRequests({ database, limit: LIMIT })) {
    const page = await findWatched({ database, pageId: request.pageId });
    if (page === undefined) continue;
    await withDuty({
      ...{ database, name: `withheld ${request.pageId} ${request.place}` },
      work: () => endWithheld({ context, sender, head, request, page }),
    });
  }
};

async function endWithheld(
  parameters: Parameters & { request: LeafRequest; page: WatchedPage },
): Promise<void> {
  const { context, head, page, request, sender } = parameters;
  const { chain, database, logger } = context;
  const { pageId, place } = request;
  const now = BigInt(head.timestamp);
  const isDue = now > request.deadline;
  const isOurs = request.requester === sender.account;
  if (!isDue && page.state === "pending") return;
  const contract = "pageSettlement";
  const asked = { chain, contract, name: "leafRequestOf", values: [pageId, place] } as const;
  const [open] = (await answerOf(callView({ ...asked, block: head.number }))) as [LeafRequest];
  if (open.requester === ZeroAddress) {
    await endRequest(database, { pageId, place });
    return;
  }
  const view = await viewPage({ context, pageId, block: head.number });
  const isRejected = view.state === "rejected";
  if (isRejected && !isOurs) {
    await endRequest(database, { pageId, place });
    return;
  }
  if (!isRejected && !(view.state === "pending" && isDue)) return;
  const name = isRejected ? "returnRequest" : "rejectWithheld";
  const data = pageInterface.encodeFunctionData(name, [page.header, place]);
  const purpose = `${name} of page ${pageId.slice(0, 18)}, place ${place}`;
  const sent = await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
  if (sent.state === "sent" && !isRejected) {
    logger.warn({ page: pageId, place }, "a leaf was not shown in time: rejecting the page");
  }
}
