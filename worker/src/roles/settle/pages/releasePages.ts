import { EVIDENCE_WINDOW } from "@haca/protocol/pageSettlement";
import { callView, pageInterface } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { claimLooks, decidePage, type ProposedPage } from "../../../jobs/pages.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { SettleContext } from "../settleContext.ts";
import type { PagePorts } from "./pagePorts.ts";

/** Pages whose bonds are freed by one transaction. */
const LIMIT = 32;
const PURPOSE = "release of bonds";
/** As `IPageSettlement.Outcome` counts. */
const OUTCOMES = ["open", "released", "rejected", "disproved"] as const;

/**
 * Frees the bonds of pages that nothing can be shown against any more. Whether it has been done is read from the chain at the
 * next look, whoever did it: a process that dies meanwhile leaves nothing behind.
 */
export async function releasePages(parameters: {
  context: SettleContext;
  pages: PagePorts;
  view: ChainView;
}): Promise<void> {
  const { context, pages, view } = parameters;
  const { chain, database, logger, store } = context;
  const block = await answerOf(chain.provider.getBlock(view.head));
  const endedBefore = BigInt(block?.timestamp ?? 0) - EVIDENCE_WINDOW;
  const looked = { database, look: "due", endedBefore, restSeconds: pages.lookSeconds } as const;
  const due: ProposedPage[] = [];
  for (const page of await claimLooks({ ...looked, limit: LIMIT })) {
    if (await isOpen({ context, page, block: view.head })) due.push(page);
  }
  const isSent = (await store.listOpen()).some(({ purpose }) => purpose === PURPOSE);
  if (due.length === 0 || isSent) return;
  const headers = due.map(({ header }) => header);
  const data = pageInterface.encodeFunctionData("releaseBonds", [headers]);
  try {
    const call = { purpose: PURPOSE, to: pages.contract, data };
    const sent = await sendTransaction({ context, view, ...call });
    if (sent !== undefined) {
      logger.info({ pages: due.length, transaction: sent.hash }, "freeing the bonds of pages");
    }
  } catch (error) {
    // Too early by the chain's clock, or somebody was quicker with one of them: the next look shows.
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    logger.warn({ pages: due.length, error: describeError(error) }, "bonds not freed: later");
  }
}

/** Whether a page's bond still waits. What became of it otherwise is noted. */
async function isOpen(parameters: {
  context: SettleContext;
  page: ProposedPage;
  block: number;
}): Promise<boolean> {
  const { block, context, page } = parameters;
  const { chain, database, logger } = context;
  const { pageId } = page;
  const view = { chain, contract: "pageSettlement", name: "pageOf", block } as const;
  const [record] = await answerOf(callView({ ...view, values: [pageId] }));
  const outcome = OUTCOMES[Number((record as { outcome: bigint }).outcome)] ?? "open";
  if (outcome === "disproved") logger.error({ page: pageId }, "page disproved");
  if (outcome === "released" || outcome === "disproved") {
    await decidePage({ database, pageId, decision: outcome });
  }
  return outcome === "open";
}
