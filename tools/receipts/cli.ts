/** Writes the vectors of signed answers, from which other implementations are checked; a test compares them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeVectors } from "./makeVectors.ts";

const FOLDER = join(import.meta.dirname, "../../docs/receipts/vectors");

mkdirSync(FOLDER, { recursive: true });
for (const [name, text] of makeVectors()) writeFileSync(join(FOLDER, name), text);
