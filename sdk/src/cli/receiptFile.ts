import { closeSync, openSync, rmSync } from "node:fs";
import { replaceFile } from "@haca/protocol/replaceFile";
import { UsageError } from "./readInput.ts";

const OWNER_ALONE = 0o600;

/** A name for a receipt that is taken before anybody is asked. */
export type ReceiptFile = { keep: (text: string) => void; giveBack: () => void };

/** Takes a name that nobody has: another file of that name may be a receipt. @throws UsageError */
export function reserveReceipt(path: string): ReceiptFile {
  try {
    closeSync(openSync(path, "wx", OWNER_ALONE));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "EEXIST" ? "there is such a file already" : "it cannot be written";
    throw new UsageError(`--receipt: ${path}: ${reason}`);
  }
  return {
    keep: (text) => replaceFile({ path, text, mode: OWNER_ALONE }),
    giveBack: () => rmSync(path, { force: true }),
  };
}
