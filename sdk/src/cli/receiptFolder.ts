import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { Receipt } from "../receipt/receipt.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { UsageError } from "./readInput.ts";

/**
 * Keeps receipts in a folder, which is made. The same answer twice, of an idempotency key, has the same receipt but for its
 * document: the first one stays.
 * @throws UsageError where it cannot be made; what it returns throws BaseError `haca.receiptNotKept`
 */
export function receiptFolder(folder: string): (receipt: Receipt) => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    throw new UsageError(`--receipts: ${folder} cannot be made a folder`);
  }
  return (receipt) => {
    const path = join(folder, `${receiptId(receipt.core)}.json`);
    if (existsSync(path)) return;
    try {
      writeFileSync(path, serialiseReceipt(receipt), { mode: 0o600 });
    } catch {
      const message = "the answer's receipt cannot be kept";
      throw new BaseError({ code: "haca.receiptNotKept", message });
    }
  };
}
