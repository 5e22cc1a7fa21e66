import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "@haca/protocol/replaceFile";
import type { PaymentJournal } from "../pay/journal.ts";
import { UsageError } from "./readInput.ts";

const MODES = { folder: 0o700, file: 0o600 } as const;

/** Payments as files of a folder, for their owner alone: whoever has one can bring it. @throws UsageError */
export function paymentFolder(folder: string): PaymentJournal {
  try {
    mkdirSync(folder, { recursive: true, mode: MODES.folder });
  } catch {
    throw new UsageError(`--payments: ${folder} cannot be made a folder`);
  }
  const pathOf = (name: string): string => join(folder, `${name}.json`);
  return {
    async read(name) {
      try {
        return readFileSync(pathOf(name), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new UsageError(`--payments: ${pathOf(name)} cannot be read`);
      }
    },
    async add(name, text) {
      // Whole or not there, and never over another's.
      const whole = `${pathOf(name)}.${randomBytes(8).toString("hex")}`;
      try {
        replaceFile({ path: whole, text, mode: MODES.file });
        linkSync(whole, pathOf(name));
      } finally {
        rmSync(whole, { force: true });
      }
    },
    async replace(name, text) {
      replaceFile({ path: pathOf(name), text, mode: MODES.file });
    },
  };
}
