import { BlobError } from "@haca/protocol/blobs/blobError";
import { leafAt } from "@haca/protocol/pageSettlement";
import { type Block, ZeroAddress } from "ethers";
import { callView, pageInterface } from "../../chain/chain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { endRequest, type LeafRequest, listRequests } from "../../verifier/leafRequests.ts";
import { readContent } from "../../verifier/readContent.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { findWatched } from "../../verifier/watchedPages.ts";
import type { Step, WatchContext } from "./watchContext.ts";

/** Requests that a pass looks at. */
const LIMIT = 64;

/** Shows leaves that others ask for, where their page was read here: for their deposits, and so that the page goes on. */
export const answerRequests: Step = async ({ context, head, sender }) => {
  const { database } = context;
  if (!context.answersRequests) return;
  for (const request of await listRequests({ database, limit: LIMIT })) {
    if (request.requester === sender.account || request.wants !== "leaf") continue;
    if (BigInt(head.timestamp) > request.deadline) continue;
    await withDuty({
      ...{ database, name: `answer ${request.pageId} ${request.place}` },
      work: () => answer({ context, sender, head, request }),
    });
  }
};

async function answer(parameters: {
  context: WatchContext;
  sender: Sender;
  head: Block;
  request: LeafRequest;
}): Promise<void> {
  const { context, head, request, sender } = parameters;
  const { chain, database } = context;
  const { pageId, place } = request;
  const page = await findWatched({ database, pageId });
  if (page === undefined || page.content === null) return;
  const contract = "pageSettlement";
  const asked = { chain, contract, name: "leafRequestOf", values: [pageId, place] } as const;
  const [open] = (await answerOf(callView({ ...asked, block: head.number }))) as [LeafRequest];
  if (open.requester === ZeroAddress) {
    await endRequest(database, request);
    return;
  }
  const leaf = await readContent(context, page)
    .then((content) => leafAt(content.page, place))
    .catch((error: unknown) => {
      if (error instanceof BlobError) return undefined;
      throw error;
    });
  if (leaf === undefined) return;
  const values = [[{ header: page.header, leaf }]];
  const data = pageInterface.encodeFunctionData("answerLeaves", values);
  const purpose = `answer for page ${pageId.slice(0, 18)}, place ${place}`;
  await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
}
