import { concatHex, keccak, wordOf } from "./bytes.ts";
import type { PageEvidence, ReceiptCore, ReceiptPageHeader } from "./receipt/receipt.ts";
import { kindOfSignature, withOtherS } from "./signatureForm.ts";
import { addressWord, receiptId } from "./typedData.ts";

/** The tree over a page of results, as `PageTree` of the contracts and `protocol/src/resultPage.ts` have it. */
const LEAF = "0x00";
const NODE = "0x01";

/** The header's fields as the ABI encodes them. */
export const headerWords = (header: ReceiptPageHeader): readonly string[] => [
  ...[wordOf(BigInt(header.kind)), header.teeId, wordOf(BigInt(header.ledgerPage))],
  ...[wordOf(BigInt(header.bitmap)), header.root, header.blobId],
  ...[addressWord(header.proposer), wordOf(BigInt(header.fee))],
];

/** `PageSettlement.pageIdOf` */
export const pageIdOf = (chainId: string, page: PageEvidence): string =>
  keccak(
    concatHex(
      ...[wordOf(BigInt(chainId)), addressWord(page.pageSettlement)],
      ...headerWords(page.header),
    ),
  );

/** The leaf's place in a page, and the number of that page. */
export function placeOf(requestId: string): { ledgerPage: bigint; index: number } {
  const id = BigInt(requestId);
  return { ledgerPage: id >> 8n, index: Number(id & 0xffn) };
}

/**
 * The signature in the form in which it is in the page: the receipt's, or of P-256 perhaps with the other s. Undefined where
 * neither leads to the header's root.
 */
export function signatureInPage(core: ReceiptCore, page: PageEvidence): string | undefined {
  const { index } = placeOf(core.message.requestId);
  const digest = receiptId(core);
  const forms =
    kindOfSignature(core) === "p256" ? [core.signature, withOtherS(core)] : [core.signature];
  return forms.find((signature) => {
    const leaf = keccak(LEAF, digest, keccak(signature));
    return climb(leaf, index, page.path) === page.header.root;
  });
}

const climb = (leaf: string, index: number, path: readonly string[]): string =>
  path.reduce(
    (hash, sibling, depth) =>
      ((index >> depth) & 1) === 0 ? keccak(NODE, hash, sibling) : keccak(NODE, sibling, hash),
    leaf,
  );
