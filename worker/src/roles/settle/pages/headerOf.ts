import type { CheckedPage } from "@haca/protocol/blobs/pageBlob";
import type { PageHeader } from "@haca/protocol/pageSettlement";
import { ledgerPageOf } from "@haca/protocol/requestId";

/** `Verification.TEE` */
const TEE = 2n;

/** The header of a page that takes all of its results, but for who proposes it. Nobody is paid for attesting it. */
export const headerOf = (parameters: {
  made: CheckedPage;
  teeId: string;
  /** as a word */
  blobId: string;
}): Omit<PageHeader, "proposer"> => {
  const { blobId, made, teeId } = parameters;
  const { bitmap, node, page, root } = made;
  const ledgerPage = ledgerPageOf({ node, index: page });
  return { kind: TEE, teeId, ledgerPage, bitmap, root, blobId, fee: 0n };
};
