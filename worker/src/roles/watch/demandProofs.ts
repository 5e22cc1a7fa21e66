import { MAXIMUM_DEMANDS } from "@haca/protocol/pageSettlement";
import { type Block, ZeroAddress } from "ethers";
import { callView, pageInterface } from "../../chain/chain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Sender } from "../../transactions/sender.ts";
import { withDuty } from "../../verifier/duties.ts";
import { countRequests } from "../../verifier/leafRequests.ts";
import { viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import { hasUnread } from "../../verifier/unreadTransactions.ts";
import type { WatchedPage } from "../../verifier/watchedPages.ts";
import { listDoubtedPages, listDoubts } from "./doubtedLeaves.ts";
import type { Step, WatchContext } from "./watchContext.ts";

/** Pages that a pass looks at. */
const LIMIT = 64;

type Parameters = { context: WatchContext; sender: Sender; head: Block };

/**
 * Demands the proofs of leaves that this process doubts. Of a wrong one there is none, so that one demand ends the page; where
 * the words are missing only the demand can tell, and a few of them are made. While a demand is open the page's clock stands.
 */
export const demandProofs: Step = async ({ context, head, sender }) => {
  const { database } = context;
  for (const page of await listDoubtedPages({ database, limit: LIMIT })) {
    await withDuty({
      ...{ database, name: `demand ${page.pageId}` },
      work: () => demand({ context, sender, head, page }),
    });
  }
};

async function demand(parameters: Parameters & { page: WatchedPage }): Promise<void> {
  const { context, head, page, sender } = parameters;
  const { chain, database, logger } = context;
  const { header, pageId } = page;
  const view = await viewPage({ context, pageId, block: head.number });
  if (view.state !== "pending" || view.openDemands >= BigInt(MAXIMUM_DEMANDS)) return;
  const end = ` for page ${pageId.slice(0, 18)}`;
  if (await hasUnread({ database, begin: "demand ", end })) return;
  const made = { database, pageId, requester: sender.account, wants: "proof" } as const;
  const counts = await countRequests(made);
  // One wrong leaf is enough: whoever cannot prove it loses the page. Others are demanded where that one was proved after all.
  if (counts.open > 0) return;
  const [proved] = (await answerOf(
    callView({
      ...{ chain, contract: "pageSettlement", name: "provedIn" },
      values: [pageId],
      block: head.number,
    }),
  )) as [bigint];
  const doubts = (await listDoubts({ database, pageId })).filter(
    ({ isWrong, place }) =>
      ((proved >> BigInt(place)) & 1n) === 0n && (isWrong || counts.made < context.demandProofs),
  );
  for (const { place, reason } of doubts) {
    if (await isDemanded({ context, head, pageId, place })) continue;
    const data = pageInterface.encodeFunctionData("demandProof", [header, place]);
    const purpose = `demand ${counts.made + 1}${end}`;
    const sent = await sendCall({ context, sender, purpose, to: chain.pageSettlement, data });
    const fields = { page: pageId, place, reason };
    if (sent.state === "sent") logger.warn(fields, "doubted leaf: demanding its proof");
    if (sent.state === "refused") {
      const error = sent.revert.message;
      logger.error(
        { ...fields, error },
        "a proof cannot be demanded: deposit OPG for this account",
      );
    }
    return;
  }
}

/** Whether somebody waits for this proof already: they end the page as well. */
async function isDemanded(parameters: {
  context: WatchContext;
  head: Block;
  pageId: string;
  place: number;
}): Promise<boolean> {
  const { context, head, pageId, place } = parameters;
  const { chain } = context;
  const asked = { chain, contract: "pageSettlement", name: "demandOf" } as const;
  const [open] = (await answerOf(
    callView({ ...asked, values: [pageId, place], block: head.number }),
  )) as [{ requester: string }];
  return open.requester !== ZeroAddress;
}
