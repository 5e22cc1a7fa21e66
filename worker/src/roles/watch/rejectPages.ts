import { type Block, ZeroAddress } from "ethers";
import { callView, pageInterface } from "../../chain/chain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { endRequest, type LeafRequest, listRequests } from "../../verifier/leafRequests.ts";
import { viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { findWatched, type WatchedPage } from "../../verifier/watchedPages.ts";
import type { Step, WatchContext } from "./watchContext.ts";

/** Requests that a pass looks at. */
const LIMIT = 64;

/** How the contract calls what somebody waits for: what there is of it, and how it ends in vain. */
const CALLS = {
  leaf: { view: "leafRequestOf", reject: "rejectWithheld", back: "returnRequest" },
  proof: { view: "demandOf", reject: "rejectUnproved", back: "returnDemand" },
} as const;

type Parameters = { context: WatchContext; sender: Sender; head: Block };

/**
 * Rejects pages of which a leaf was not shown in time, or not proved, whoever asked for it; and has this account's deposits
 * back from those that were rejected for another reason.
 */
export const rejectPages: Step = async ({ context, head, sender }) => {
  const { database } = context;
  for (const request of await listRequests({ database, limit: LIMIT })) {
    const { pageId, place, wants } = request;
    const page = await findWatched({ database, pageId });
    if (page === undefined) continue;
    await withDuty({
      ...{ database, name: `rejection for ${wants} ${place} of ${pageId}` },
      work: () => endInVain({ context, sender, head, request, page }),
    });
  }
};

async function endInVain(
  parameters: Parameters & { request: LeafRequest; page: WatchedPage },
): Promise<void> {
  const { context, head, page, request, sender } = parameters;
  const { chain, database, logger } = context;
  const { pageId, place, wants } = request;
  const calls = CALLS[wants];
  const isDue = BigInt(head.timestamp) > request.deadline;
  if (!isDue && page.state === "pending") return;
  const asked = { chain, contract: "pageSettlement", values: [pageId, place] } as const;
  const [open] = (await answerOf(callView({ ...asked, name: calls.view, block: head.number }))) as [
    Pick<LeafRequest, "requester">,
  ];
  const view = await viewPage({ context, pageId, block: head.number });
  const isRejected = view.state === "rejected";
  const isOver = open.requester === ZeroAddress;
  if (isOver || (isRejected && request.requester !== sender.account)) {
    await endRequest(database, request);
    return;
  }
  if (!isRejected && !(view.state === "pending" && isDue)) return;
  const name = isRejected ? calls.back : calls.reject;
  const data = pageInterface.encodeFunctionData(name, [page.header, place]);
  const purpose = `${name} of page ${pageId.slice(0, 18)}, place ${place}`;
  const sent = await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
  if (sent.state === "sent" && !isRejected) {
    logger.warn({ page: pageId, place, wants }, "not given in time: rejecting the page");
  }
}
