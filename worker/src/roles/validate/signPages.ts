import { BlobError } from "@haca/protocol/blobs/blobError";
import { signAttestation } from "@haca/protocol/validatorStaking";
import { describeError } from "../../errors.ts";
import { judgeContent } from "../../verifier/judgeContent.ts";
import { latestBlock, safeBlock, viewPage } from "../../verifier/pageViews.ts";
import { readContent } from "../../verifier/readContent.ts";
import { epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import type { WatchedPage } from "../../verifier/watchedPages.ts";
import { claimPages, keepAttestation } from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** Pages that a pass looks at. */
const LIMIT = 16;
/** Until a page that cannot be signed yet is looked at again. */
const REST_SECONDS = 3;

/**
 * Signs pages: those whose proposal is safe, that no quorum has vouched for, and of which nobody waits for a leaf, if contract
 * and filter find every leaf good at that moment; and only while this validator is in the set of the epoch. A page about
 * which any of this cannot be told is not signed. The signature is on disk before anybody can ask for it.
 */
export function createSignPass(context: ValidateContext): () => Promise<boolean> {
  const { database, key } = context;
  return async () => {
    const head = await latestBlock(context);
    const epoch = epochOf(BigInt(head.timestamp));
    const set = await frozenSet({ context, epoch, head });
    const isMember = set?.members.some((member) => member.key === key.address && member.stake > 0n);
    if (isMember !== true) return false;
    const safe = await safeBlock(context);
    // There was no contract yet.
    if (safe < context.firstBlock) return false;
    const claimed = { database, key: key.address, restSeconds: REST_SECONDS, limit: LIMIT };
    let signed = 0;
    for (const page of await claimPages({ ...claimed, purpose: "sign" })) {
      if ((await isSignable(context, page, safe)) && (await sign(context, page))) signed += 1;
    }
    return signed > 0;
  };
}

async function isSignable(
  context: ValidateContext,
  page: WatchedPage,
  safe: number,
): Promise<boolean> {
  const { logger } = context;
  const { header, pageId } = page;
  // Known there, the proposal is as deep as it has to be, and is judged as of the time that it has there.
  const proposed = await viewPage({ context, pageId, block: safe });
  if (proposed.state !== "pending") return false;
  const view = await viewPage({ context, pageId });
  const isOpen =
    view.state === "pending" &&
    view.attestedAt === 0n &&
    view.openRequests === 0n &&
    view.proposedAt === proposed.proposedAt;
  if (!isOpen) return false;
  try {
    const content = await readContent(context, page);
    const judged = await judgeContent({ context, pageId, header, page: content.page, view });
    const found = [
      ...judged.bad.map(({ leaf, reason }) => ({ place: leaf.index, words: reason })),
      ...judged.unjudged,
      ...judged.doubted,
    ];
    if (found.length === 0) return true;
    logger.warn({ page: pageId, ...found[0] }, "page not signed");
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    logger.warn({ page: pageId, error: describeError(error) }, "page not signed");
  }
  return false;
}

async function sign(context: ValidateContext, page: WatchedPage): Promise<boolean> {
  const { chain, database, key, logger, metrics, staking } = context;
  const { pageId } = page;
  const { chainId } = chain;
  const signature = await signAttestation({ chainId, staking, pageId, key });
  const attestation = { key: key.address, signature };
  // Another machine over this database may have been quicker.
  if (!(await keepAttestation({ database, pageId, attestation }))) return false;
  metrics.attestations.inc();
  logger.info({ page: pageId, key: key.address }, "page signed");
  return true;
}
