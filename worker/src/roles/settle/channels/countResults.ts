import { openingSiblings, packRecords } from "@haca/protocol/pageOpening";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { type DueResult, endResults, leaseResults, refuseResults } from "../../../jobs/channels.ts";
import { type Job, resultOf } from "../../../jobs/job.ts";
import { readPage } from "../../../jobs/pages.ts";
import { findJobs } from "../../../jobs/readJobs.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import { makePage, placeInPage } from "../pages/makePage.ts";
import type { SettleContext } from "../settleContext.ts";
import type { ChannelPorts } from "./channelPorts.ts";
import { countedAt, deepBlock, gateInterface, isGate } from "./readGate.ts";

/** Results that are looked at in one pass: those of four pages. */
const LIMIT = 1_024;
/** Results that were settled alone, in one transaction. */
const MOST_ALONE = 64;
/** Rest of results that the gate refuses to count. */
const REFUSED_REST_SECONDS = 3_600;
/** For so long beyond the channel's delay of withdrawals they are asked for again. */
const REFUSED_MARGIN_SECONDS = 86_400;
/** `Verification.TEE` */
const TEE = 2;

type Parameters = { context: SettleContext; channels: ChannelPorts; view: ChainView };
/** Results of one gate that one transaction counts: of a page, or settled alone. */
type Group = { gate: string; pageId: string | null; results: DueResult[] };

/**
 * Counts settled results at the gates of their channels, those of a page together. What was counted is read from the chain, whoever
 * did it, and noted as deep as reorganisations are watched for: a process that dies meanwhile leaves nothing behind, and the gate
 * counts each once. Returns how many are noted.
 */
export async function countResults(parameters: Parameters): Promise<number> {
  const { context, channels } = parameters;
  const { database } = context;
  const { claimSeconds, lookSeconds: restSeconds } = channels;
  const due = await leaseResults({ database, restSeconds, limit: LIMIT });
  const lost = due.filter(({ settled }) => settled === "none").map(idOf);
  if (lost.length > 0) {
    await endResults({ database, requestIds: lost, end: "none", claimSeconds });
    context.logger.warn({ results: lost.length }, "results of channels are not paid");
  }
  let moved = lost.length;
  for (const group of groupsOf(due)) moved += await look({ ...parameters, group });
  return moved;
}

const idOf = ({ requestId }: DueResult): string => requestId;

function groupsOf(due: readonly DueResult[]): Group[] {
  const groups = new Map<string, Group>();
  for (const result of due) {
    const { gate, settled } = result;
    if (settled === "none") continue;
    const pageId = settled === "alone" ? null : settled.pageId;
    const key = `${gate} ${pageId}`;
    const group = groups.get(key) ?? { gate, pageId, results: [] };
    group.results.push(result);
    groups.set(key, group);
  }
  return [...groups.values()];
}

async function look(parameters: Parameters & { group: Group }): Promise<number> {
  const { channels, context, group, view } = parameters;
  const { database, logger } = context;
  const { gate, pageId, results } = group;
  const requestIds = results.map(idOf);
  const read = { context, gate, requestIds };
  const isOne = await isGate({
    ...{ context, gate, block: view.head },
    knownGates: channels.knownGates,
  });
  const now = isOne ? await countedAt({ ...read, block: view.head }) : undefined;
  if (now === undefined) {
    logger.warn({ gate, results: results.length }, "no gate of channels is at this address");
    await refuse(context, requestIds);
    return 0;
  }
  const deep = await countedAt({ ...read, block: deepBlock(context, view) });
  const done = requestIds.filter((id) => now.has(id) && deep?.has(id) === true);
  const { claimSeconds } = channels;
  if (done.length > 0) {
    await endResults({ database, requestIds: done, end: "counted", claimSeconds });
  }
  const open = results.filter(({ requestId }) => !now.has(requestId));
  if (open.length > 0) await send({ ...parameters, group: { gate, pageId, results: open } });
  return done.length;
}

async function send(parameters: Parameters & { group: Group }): Promise<void> {
  const { context, group } = parameters;
  const { gate, pageId, results } = group;
  const purpose = `count ${(pageId ?? gate).slice(0, 18)}`;
  if ((await context.store.listOpen()).some((open) => open.purpose === purpose)) return;
  const taken = pageId === null ? results.slice(0, MOST_ALONE) : results;
  await offer({ ...parameters, group: { ...group, results: taken }, purpose });
}

/** Of results that were settled alone, one that the gate refuses keeps no other from being counted: it is looked for by halves. */
async function offer(parameters: Parameters & { group: Group; purpose: string }): Promise<void> {
  const { context, group, purpose, view } = parameters;
  const { logger } = context;
  const { gate, pageId, results } = group;
  const data =
    pageId === null
      ? await aloneCall(context, results)
      : await pageCall({ context, pageId, results });
  const what = { gate, page: pageId, results: results.length };
  try {
    const sent = await sendTransaction({ context, view, purpose, to: gate, data });
    if (sent !== undefined) logger.info({ ...what, transaction: sent.hash }, "counting results");
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    logger.warn({ ...what, error: describeError(error) }, "counting results: not now");
    if (error instanceof RefusedByEndpointError) return;
    if (pageId === null && results.length > 1) {
      const half = results.length >> 1;
      for (const part of [results.slice(0, half), results.slice(half)]) {
        await offer({ ...parameters, group: { ...group, results: part } });
      }
      return;
    }
    await refuse(context, results.map(idOf));
  }
}

/** Has refused results rest, and gives up those that were refused for too long. */
async function refuse(context: SettleContext, requestIds: readonly string[]): Promise<void> {
  const { database, logger } = context;
  const times = { restSeconds: REFUSED_REST_SECONDS, marginSeconds: REFUSED_MARGIN_SECONDS };
  for (const requestId of await refuseResults({ database, requestIds, ...times })) {
    logger.error({ requestId }, "the gate never counted this result: it is given up, unpaid");
  }
}

/** One transaction for results that were settled alone. */
async function aloneCall(context: SettleContext, results: readonly DueResult[]): Promise<string> {
  const jobs = await findJobs({ database: context.database, requestIds: results.map(idOf) });
  const calls = results.map(({ channelId, requestId }) => {
    const job = jobs.get(requestId);
    if (job === undefined) throw new Error(`${requestId} is in no queue`);
    return gateInterface.encodeFunctionData("countResult", [channelId, resultOf(job), TEE]);
  });
  return gateInterface.encodeFunctionData("multicall", [calls]);
}

/** Opens a page once for all of its results of the gate's channels: a section for each channel and version. */
async function pageCall(parameters: {
  context: SettleContext;
  pageId: string;
  results: readonly DueResult[];
}): Promise<string> {
  const { context, pageId, results } = parameters;
  const { chain, database } = context;
  const found = await readPage({ database, pageId });
  if (found === undefined) throw new Error(`${pageId} is in no queue`);
  const { jobs, page } = found;
  const byId = new Map(jobs.map((job) => [job.requestId, job]));
  const sections = new Map<string, { channelId: string; modelVersion: string; jobs: Job[] }>();
  for (const { channelId, requestId } of results) {
    const job = byId.get(requestId);
    if (job === undefined) throw new Error(`${requestId} is not in ${pageId}`);
    const modelVersion = job.versionId;
    const key = `${channelId} ${modelVersion}`;
    const section = sections.get(key) ?? { channelId, modelVersion, jobs: [] };
    section.jobs.push(job);
    sections.set(key, section);
  }
  const places = [...sections.values()].flatMap((section) => section.jobs.map(placeInPage));
  const { tree } = makePage({ jobs, domain: chain.domain });
  return gateInterface.encodeFunctionData("countPage", [
    page.header,
    [...sections.values()].map(({ channelId, jobs: own, modelVersion }) => ({
      ...{ channelId, modelVersion },
      records: packRecords(own.map((job) => ({ result: resultOf(job), signature: job.signature }))),
    })),
    openingSiblings({ tree, places }),
  ]);
}
