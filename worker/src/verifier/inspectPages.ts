import { BlobError } from "@haca/protocol/blobs/blobError";
import {
  EVIDENCE_WINDOW,
  OPTIMISTIC,
  type PageHeader,
  placesOf,
} from "@haca/protocol/pageSettlement";
import { describeError, RetryableError } from "../errors.ts";
import type { ServedModel } from "../models/servedModel.ts";
import { type BadLeaf, judgeContent } from "./judgeContent.ts";
import { badAmongShown, type FindConflict } from "./judgeShownPage.ts";
import { deepBlock, latestBlock, type PageView, viewPage } from "./pageViews.ts";
import { assembled, leafInPlace, type PageContent, readContent } from "./readContent.ts";
import { type DoubtedLeaf, rerunModels } from "./rerunModels.ts";
import { listShown } from "./shownLeaves.ts";
import type { VerifierContext } from "./verifierContext.ts";
import {
  claimLooks,
  closePage,
  recordLook,
  type WatchedPage,
  type WatchedState,
} from "./watchedPages.ts";

/** Pages that are looked at at a time: a store that hangs holds up no more. */
const LIMIT = 8;
/** Until a page is looked at again whose look failed, or was broken off. */
const RETRY_SECONDS = 15;

export type InspectContext = VerifierContext & {
  /** models to run again on leaves of optimistic pages */
  models: readonly ServedModel[];
  /** told of each page with a wrong leaf, before anything of it is recorded; may be told again */
  onBad: (parameters: { pageId: string; bad: BadLeaf }) => Promise<void>;
  /** a leaf for whose request another result was signed, of those that are good by themselves; absent: nobody looks for one */
  findConflict?: FindConflict;
  /** the same of leaves of which there may be no proof */
  onDoubted: (parameters: { pageId: string; doubted: DoubtedLeaf[] }) => Promise<void>;
};

/**
 * Looks at pages: what has become of them, and what contract and filter say of their leaves, again and again for as long as
 * something can be shown against them. Returns whether there may be more to look at.
 */
export function createInspectPass(context: InspectContext): () => Promise<boolean> {
  const { database } = context;
  return async () => {
    const pages = await claimLooks({ database, restSeconds: RETRY_SECONDS, limit: LIMIT });
    const looks = await Promise.allSettled(pages.map((page) => inspect(context, page)));
    for (const look of looks) if (look.status === "rejected") throw look.reason;
    return pages.length === LIMIT;
  };
}

async function inspect(context: InspectContext, page: WatchedPage): Promise<void> {
  const { database, logger } = context;
  const { pageId } = page;
  const head = await latestBlock(context);
  const view = await viewPage({ context, pageId, block: head.number });
  // Not on the branch that the endpoint has now: followed anew, it will be gone, or there.
  if (view.state === undefined) return;
  const ended = stateAtEnd({ view, now: BigInt(head.timestamp) });
  if (ended !== undefined) {
    const block = deepBlock(head.number, context);
    const deep = await viewPage({ context, pageId, block });
    const isDeep = deep.state === view.state || ended === "final";
    if (isDeep && (await closePage({ database, pageId, state: ended }))) {
      logger.info({ page: pageId, state: ended, reason: view.reason }, "page closed");
    }
    if (!isDeep) await record(context, page, view, { verdict: page.verdict });
    return;
  }
  await record(context, page, view, await judge(context, page, view));
}

/** The state of a page against which nothing can be shown any more. */
function stateAtEnd({ now, view }: { view: PageView; now: bigint }): WatchedState | undefined {
  const { end, state } = view;
  if (state === "rejected" || state === "disproved" || state === "released") return state;
  return state === "final" && now > end + EVIDENCE_WINDOW ? state : undefined;
}

type Found = Pick<Parameters<typeof recordLook>[0]["found"], "verdict" | "content" | "error">;

async function record(
  context: InspectContext,
  page: WatchedPage,
  view: PageView,
  found: Found,
): Promise<void> {
  const { database, recheckSeconds } = context;
  const { pageId } = page;
  const { attestedAt, end: endsAt, lastRequest, signers, state = "pending" } = view;
  const shortUntil = view.proposedAt + view.longRoad - view.shortRoad;
  const isJudged = found.verdict === "good" || found.verdict === "bad";
  const restSeconds = isJudged ? recheckSeconds : RETRY_SECONDS;
  const seen = { state, endsAt, attestedAt, signers, lastRequest, shortUntil };
  await recordLook({ database, pageId, found: { ...found, ...seen }, restSeconds });
}

async function judge(context: InspectContext, page: WatchedPage, view: PageView): Promise<Found> {
  const { logger } = context;
  const { header, pageId, verdict } = page;
  let content: PageContent;
  try {
    content = await readContent(context, page);
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    const shown = await listShown({ context, pageId });
    const whole = page.content === null ? assembled(header, shown) : undefined;
    if (whole !== undefined && (await isOfRoot(context, header, whole))) {
      logger.info({ page: pageId, leaves: shown.length }, "every leaf of the page was shown");
      return await judge(context, { ...page, content: whole }, view).then((found) => ({
        ...{ ...found, content: whole },
      }));
    }
    const bad = await badAmongShown(context, page, shown);
    if (bad !== undefined) await context.onBad({ pageId, bad });
    const words = `${error.code}: ${describeError(error)}`;
    if (verdict !== "unreadable") logger.warn({ page: pageId, error: words }, "page not readable");
    return { verdict: "unreadable", error: words };
  }
  const kept = page.content === null ? { content: content.text } : {};
  try {
    const judged = await judgeContent({ context, pageId, header, page: content.page, view });
    const bad = judged.bad[0] ?? (await conflictIn(context, page, content));
    if (bad !== undefined) {
      await context.onBad({ pageId, bad });
      if (verdict !== "bad") {
        const fields = { page: pageId, place: bad.leaf.index, reason: bad.reason };
        logger.error({ ...fields, wrong: judged.bad.length || 1 }, "page with a wrong leaf");
      }
      return { ...kept, verdict: "bad", error: `place ${bad.leaf.index}: ${bad.reason}` };
    }
    // One leaf that cannot be judged keeps nobody from showing that another one is wrong.
    const [missing] = [...judged.unjudged, ...judged.doubted];
    if (missing !== undefined) {
      const error = `place ${missing.place}: ${missing.words}`;
      return { ...kept, verdict: "unjudged", error };
    }
    if (header.kind === OPTIMISTIC) return { ...kept, ...(await rerun(context, page, content)) };
    if (verdict !== "good") logger.info({ page: pageId }, "every leaf of the page is good");
    return { ...kept, verdict: "good" };
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    // What was read is kept all the same: the store may not have it the next time.
    return {
      ...kept,
      verdict: verdict === "bad" ? "bad" : "unjudged",
      error: describeError(error),
    };
  }
}

const conflictIn = async (
  { findConflict }: InspectContext,
  { header, pageId }: WatchedPage,
  { page }: PageContent,
): Promise<BadLeaf | undefined> =>
  await findConflict?.({
    ...{ pageId, header },
    leaves: placesOf(header).map((index) => leafInPlace(page, index)),
  });

/** The tree may have results that the page did not take. */
async function isOfRoot(
  context: InspectContext,
  header: PageHeader,
  content: string,
): Promise<boolean> {
  try {
    await readContent(context, { header, content });
    return true;
  } catch (error) {
    if (error instanceof BlobError) return false;
    throw error;
  }
}

/** What a model answers does not change: it is run once on a page. */
async function rerun(
  context: InspectContext,
  page: WatchedPage,
  content: PageContent,
): Promise<Found> {
  const { logger, models } = context;
  const { header, lastError, pageId, verdict } = page;
  if (verdict === "good" || verdict === "bad") {
    return { verdict, ...(lastError === null ? {} : { error: lastError }) };
  }
  const { doubted, unknown } = await rerunModels({ models, header, page: content.page });
  if (doubted.length > 0) await context.onDoubted({ pageId, doubted });
  const [wrong] = doubted.filter(({ isWrong }) => isWrong);
  if (wrong !== undefined) {
    const { place, reason } = wrong;
    logger.error(
      { page: pageId, place, reason, doubted: doubted.length },
      "page with a wrong answer",
    );
    return { verdict: "bad", error: `place ${place}: ${reason}` };
  }
  const fields = { page: pageId, unknown, doubted: doubted.length };
  if (unknown === 0) logger.info(fields, "no answer of the page is wrong");
  else
    logger.warn(
      fields,
      "answers of the page are of models that are not at hand, or hide their input: not run again",
    );
  return { verdict: "good" };
}
