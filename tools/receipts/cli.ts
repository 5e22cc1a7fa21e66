/**
 * Writes the vectors from which other implementations are checked: signed answers, which a test compares, and with `--receipts`
 * receipts, whose keys are drawn anew each time.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeVectors } from "./makeVectors.ts";
import { makeReceiptVectors } from "./receiptVectors.ts";

const FOLDER = join(import.meta.dirname, "../../docs/receipts/vectors");

mkdirSync(FOLDER, { recursive: true });
for (const [name, text] of makeVectors()) writeFileSync(join(FOLDER, name), text);
if (process.argv.includes("--receipts")) {
  writeFileSync(
    join(FOLDER, "receipts.json"),
    `${JSON.stringify(await makeReceiptVectors(), null, 2)}\n`,
  );
}
