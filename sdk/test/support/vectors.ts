import { readFileSync } from "node:fs";
import type { ReceiptVectors } from "../../../tools/receipts/receiptVectors.ts";
import { isLegacy } from "../../src/legacy/legacyReceipt.ts";
import { parseReceipt } from "../../src/receipt/parseReceipt.ts";
import type { Receipt } from "../../src/receipt/receipt.ts";

/** The vectors in docs/receipts, which `node tools/receipts/cli.ts --receipts` writes. */
export const VECTORS: ReceiptVectors = JSON.parse(
  readFileSync(new URL("../../../docs/receipts/vectors/receipts.json", import.meta.url), "utf8"),
);

export const NOW = BigInt(VECTORS.now);
/** What the vectors are verified with. */
export const OPTIONS = { pins: VECTORS.pins, now: NOW, blockHashes: VECTORS.blockHashes };

export function textOf(name: string): string {
  const found = VECTORS.good.find((good) => good.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found.receipt;
}

/** Those of the profile `legacy`, which have another form, as JSON reads them. */
export const receiptOf = (name: string): Receipt =>
  isLegacy(textOf(name)) ? JSON.parse(textOf(name)) : parseReceipt(textOf(name));
