import { BlobError } from "@haca/protocol/blobs/blobError";
import { blobIdFromWord } from "@haca/protocol/blobs/blobId";
import { type CheckedPage, encodePageBlob, withPageRoot } from "@haca/protocol/blobs/pageBlob";
import { leafAt, type PageHeader, type PageLeaf, placesOf } from "@haca/protocol/pageSettlement";
import { decodeRequestId, requestIdAt } from "@haca/protocol/requestId";
import { EMPTY_LEAF, placeOfNonce, resultPageProof } from "@haca/protocol/resultPage";
import type { VerifierContext } from "./verifierContext.ts";
import type { WatchedPage } from "./watchedPages.ts";

/** A leaf, and its hash in the tree. */
export type KnownLeaf = { leaf: PageLeaf; leafHash: string };

/** A page's content, and the text that it was read from. */
export type PageContent = { page: CheckedPage; text: string };

/**
 * The results of a page, checked against its root, which decides about every leaf: from the database where they were read
 * before, else from the store. A bit that is set where the tree has no result is a fault of the page and not of its blob.
 * @throws BlobError
 */
export async function readContent(
  context: Pick<VerifierContext, "blobs" | "chain">,
  { content, header }: Pick<WatchedPage, "content" | "header">,
): Promise<PageContent> {
  const { blobs, chain } = context;
  const { ledgerPage, root } = header;
  const { node, nonce } = decodeRequestId(requestIdAt({ ledgerPage, index: 0 }));
  const expected = { domain: chain.domain, root, node, page: placeOfNonce(nonce).page };
  const check = withPageRoot(expected);
  if (content !== null) return { page: check(new TextEncoder().encode(content)), text: content };
  return await blobs.read({
    id: blobIdFromWord(header.blobId),
    check: (bytes) => ({ page: check(bytes), text: new TextDecoder().decode(bytes) }),
  });
}

/**
 * A page that was put together of leaves that were shown, as text of a blob; undefined as long as one is missing, and where the
 * tree has results that the page did not take, which nobody can ask for.
 */
export function assembled(header: PageHeader, leaves: readonly KnownLeaf[]): string | undefined {
  if (leaves.length < placesOf(header).length) return undefined;
  const { node, nonce } = decodeRequestId(requestIdAt({ ledgerPage: header.ledgerPage, index: 0 }));
  const results = leaves.map(({ leaf: { index, result, signature } }) => {
    const { requestId: _, ...rest } = result;
    return { ...rest, index, signature };
  });
  try {
    const bytes = encodePageBlob({ node, page: placeOfNonce(nonce).page, results });
    return new TextDecoder().decode(bytes);
  } catch (error) {
    if (error instanceof BlobError) return undefined;
    throw error;
  }
}

/** What stands in a place that the page took, and its hash in the tree. */
export function leafInPlace(page: CheckedPage, index: number): KnownLeaf {
  const leafHash = page.tree.levels[0]?.[index] ?? EMPTY_LEAF;
  return { leaf: leafAt(page, index) ?? emptyLeafAt(page, index), leafHash };
}

/** What shows that a place has no result: its way to the root. The result with it is any. */
function emptyLeafAt(page: CheckedPage, index: number): PageLeaf {
  const [any] = page.results;
  const leaf = any && leafAt(page, any.index);
  if (leaf === undefined) throw new RangeError("a page without results");
  return { ...leaf, index, siblings: resultPageProof({ tree: page.tree, index }) };
}
