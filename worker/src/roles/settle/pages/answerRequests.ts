import { ZeroAddress } from "ethers";
import { callMany } from "../../../chain/callMany.ts";
import { pageInterface } from "../../../chain/chain.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { type ProposedPage, readPage } from "../../../jobs/pages.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { SettleContext } from "../settleContext.ts";
import { leafOf, makePage } from "./makePage.ts";
import type { PagePorts } from "./pagePorts.ts";

/** As many as a call of the contract takes; a page has fewer that are open. */
const LIMIT = 32;

/**
 * Shows the leaves of a page that somebody asked for: one that is not shown within a day costs the whole deposit. What is open
 * is read from the chain each time, so that an answer that was lost is given again.
 */
export async function answerRequests(parameters: {
  context: SettleContext;
  pages: PagePorts;
  view: ChainView;
  page: ProposedPage;
}): Promise<void> {
  const { context, page, pages, view } = parameters;
  const { chain, database, logger, store } = context;
  const { header, pageId } = page;
  const purpose = `answer for page ${pageId.slice(0, 10)}`;
  if ((await store.listOpen()).some((open) => open.purpose === purpose)) return;
  const { jobs = [] } = (await readPage({ database, pageId })) ?? {};
  if (jobs.length === 0) return;
  const made = makePage({ jobs, domain: chain.domain });
  const leaves = jobs.map((job) => leafOf({ job, made }));
  const answers = await callMany({
    provider: chain.provider,
    calls: leaves.map(({ index }) => ({
      to: pages.contract,
      data: pageInterface.encodeFunctionData("leafRequestOf", [pageId, index]),
    })),
  });
  const asked = leaves.filter((_, place) => isAsked(answers[place])).slice(0, LIMIT);
  if (asked.length === 0) return;
  const values = [asked.map((leaf) => ({ header, leaf }))];
  const data = pageInterface.encodeFunctionData("answerLeaves", values);
  const fields = { page: pageId, leaves: asked.map(({ index }) => index) };
  try {
    const sent = await sendTransaction({ context, view, purpose, to: pages.contract, data });
    if (sent === undefined) return;
    logger.warn({ ...fields, transaction: sent.hash }, "somebody asked for leaves: showing them");
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    logger.error({ ...fields, error: describeError(error) }, "leaves not shown: again soon");
  }
}

function isAsked(answer: unknown): boolean {
  if (typeof answer !== "string" || answer === "0x") return false;
  const [request] = pageInterface.decodeFunctionResult("leafRequestOf", answer);
  return (request as { requester: string }).requester !== ZeroAddress;
}
