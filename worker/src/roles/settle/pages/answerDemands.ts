import { ZeroAddress } from "ethers";
import { callView, pageInterface } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { type Answer, claimAnswers, closeDemand, releaseAnswer } from "../../../jobs/demands.ts";
import { readPage } from "../../../jobs/pages.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { SettleContext } from "../settleContext.ts";
import { placeInPage, provenLeafOf } from "./makePage.ts";
import type { PagePorts } from "./pagePorts.ts";

/** More than a page has demands at a time. */
const LIMIT = 32;
/** For how long nobody else sends an answer that a process has taken on: longer than an endpoint may keep it waiting. */
const SENDING_SECONDS = 120;
/** Rest of an answer that could not be sent. */
const REST_SECONDS = 5;

type Parameters = {
  /** with the gate of what is urgent */
  context: SettleContext;
  pages: PagePorts;
  view: ChainView;
};

/**
 * Sends the proofs that are demanded, as soon as they are made. Whether a demand is still open is read from the chain, and
 * whether its answer is on its way from the queue, so that it is answered once, by whichever process.
 */
export async function answerDemands(parameters: Parameters): Promise<void> {
  const { context } = parameters;
  const { database, store } = context;
  const taken = { database, restSeconds: SENDING_SECONDS, limit: LIMIT };
  for (const answer of await claimAnswers(taken)) {
    const { requestId } = answer;
    const purpose = `proof of ${requestId}`;
    const isUnderway = (await store.listOpen()).some((open) => open.purpose === purpose);
    const isSent = isUnderway || (await send({ ...parameters, answer, purpose }));
    if (!isSent) await releaseAnswer({ database, requestId, delaySeconds: REST_SECONDS });
  }
}

/** Returns whether nothing is left to be done for now. */
async function send(
  parameters: Parameters & { answer: Answer; purpose: string },
): Promise<boolean> {
  const { answer, context, pages, purpose, view } = parameters;
  const { chain, database, logger } = context;
  const { deadline, pageId, proof, requestId } = answer;
  const found = await readPage({ database, pageId });
  const job = found?.jobs.find((candidate) => candidate.requestId === requestId);
  if (found === undefined || job === undefined) return true;
  const asked = { chain, contract: "pageSettlement", name: "demandOf", block: view.head } as const;
  const [demand] = (await answerOf(callView({ ...asked, values: [pageId, placeInPage(job)] }))) as [
    { requester: string },
  ];
  if (demand.requester === ZeroAddress) {
    await closeDemand({ database, requestId });
    return true;
  }
  const values = provenLeafOf({ ...found, job, proof, domain: chain.domain });
  const data = pageInterface.encodeFunctionData("proveLeaf", values);
  const fields = { requestId, page: pageId, until: Number(deadline) };
  try {
    const sent = await sendTransaction({ context, view, purpose, to: pages.contract, data });
    if (sent === undefined) return false;
    logger.warn({ ...fields, transaction: sent.hash }, "answering a demand with its proof");
    return true;
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    logger.error({ ...fields, error: describeError(error) }, "demand not answered: again soon");
    return false;
  }
}
