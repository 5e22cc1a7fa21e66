import { wakeLedgerPages } from "../../verifier/watchedPages.ts";
import type { ReceiptFolder } from "./receiptFolder.ts";
import type { WatchContext } from "./watchContext.ts";

/** Reads receipts that are new, and has the pages of their requests looked at again. */
export function createReceiptPass(
  { database }: WatchContext,
  receipts: ReceiptFolder,
): () => Promise<boolean> {
  return async () => {
    const added = await receipts.look();
    const ledgerPages = new Set(added.map(({ result }) => BigInt(result.requestId) >> 8n));
    if (ledgerPages.size > 0) await wakeLedgerPages(database, [...ledgerPages]);
    return false;
  };
}
