import { BlobError } from "@haca/protocol/blobs/blobError";
import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { type BlobStore, putAndReadBack } from "@haca/protocol/blobs/blobStore";
import { encodePageBlob } from "@haca/protocol/blobs/pageBlob";
import { describeError } from "../../../errors.ts";
import { claimRenewals, type ProposedPage, readPage, recordRenewal } from "../../../jobs/pages.ts";
import type { SettleContext } from "../settleContext.ts";
import { makePage } from "./makePage.ts";
import type { PagePorts } from "./pagePorts.ts";

/** Blobs that a pass renews. */
const LIMIT = 4;
/** Rest after a failure: storage is paid for far ahead. */
const REST_SECONDS = 300;

/**
 * Has the blobs of pages stored again before their epochs end, until nothing can be shown against the page any more. They are
 * made anew from the queue, so that a store that has lost one has it again.
 */
export async function renewPages(parameters: {
  context: SettleContext;
  pages: PagePorts;
}): Promise<void> {
  const { context, pages } = parameters;
  const { database } = context;
  const { blobs, renewSeconds } = pages;
  if (blobs === undefined) return;
  const claimed = await claimRenewals({ database, restSeconds: REST_SECONDS, limit: LIMIT });
  for (const page of claimed) await renew({ context, blobs, renewSeconds, page });
}

async function renew(parameters: {
  context: SettleContext;
  blobs: BlobStore;
  renewSeconds: number;
  page: ProposedPage;
}): Promise<void> {
  const { blobs, context, page, renewSeconds } = parameters;
  const { chain, database, logger } = context;
  const { header, pageId } = page;
  try {
    const jobs = (await readPage({ database, pageId }))?.jobs ?? [];
    const bytes = encodePageBlob(makePage({ jobs, domain: chain.domain }));
    const { id } = await putAndReadBack({ store: blobs, bytes });
    if (blobIdToWord(id) !== header.blobId) {
      throw new BlobError({
        code: "blob.otherId",
        message: `the store has the content of blob ${header.blobId} as ${blobIdToWord(id)}`,
      });
    }
    await recordRenewal({ database, pageId, renewSeconds });
    logger.info({ page: pageId, blobId: id }, "blob renewed");
  } catch (error) {
    if (!(error instanceof BlobError)) throw error;
    logger.warn({ page: pageId, error: describeError(error) }, "blob not renewed: later");
  }
}
