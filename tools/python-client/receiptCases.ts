import { readFileSync } from "node:fs";
import { join } from "node:path";
import { printLines, printReceipt } from "@haca/sdk/cli/print";
import { isLegacy, parseLegacyReceipt } from "@haca/sdk/legacy/legacyReceipt";
import type { Line } from "@haca/sdk/line";
import { parseReceipt } from "@haca/sdk/receipt/parseReceipt";
import type { Receipt } from "@haca/sdk/receipt/receipt";
import { serialiseReceipt } from "@haca/sdk/receipt/serialiseReceipt";
import { verify } from "@haca/sdk/verify";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { changeAt } from "../../sdk/test/support/changeAt.ts";
import type { Random } from "../../test/contracts/utils/seededRandom.ts";
import type { ReceiptVectors } from "../receipts/receiptVectors.ts";

const PATH = join(PROJECT_ROOT, "docs/receipts/vectors/receipts.json");
/** Proofs take Python half a second each: few receipts with one are among those of which a byte is flipped. */
const FLIPPED = [
  ...["teeRsa", "teeP256InPage", "teeSecp256k1", "teeSession", "vanilla"],
  ...["teeWitnessed", "legacyText"],
];

/**
 * A receipt's bytes, hex, the SDK's lines on them with the vectors' pins at the vectors' time, and of a good one what the command prints
 * of lines and receipt.
 */
export type ReceiptCase = {
  name: string;
  bytes: string;
  lines: readonly Line[];
  printed?: { lines: string[]; receipt: string[] };
};

/** Every vector, good and bad, and receipts of which a byte is flipped. */
export async function receiptCases(parameters: {
  count: number;
  random: Random;
}): Promise<ReceiptCase[]> {
  const { count, random } = parameters;
  const vectors: ReceiptVectors = JSON.parse(readFileSync(PATH, "utf8"));
  const texts = new Map(vectors.good.map(({ name, receipt }) => [name, receipt]));
  const textOf = (name: string): string => {
    const found = texts.get(name);
    if (found === undefined) throw new Error(`no vector ${name}`);
    return found;
  };
  const written = [
    ...vectors.good.map(({ name, receipt }) => ({ name, bytes: Buffer.from(receipt) })),
    ...vectors.bad.map(({ name, of, path, value }) => {
      const changed = changeAt(JSON.parse(textOf(of)), path, value) as Receipt;
      return { name, bytes: Buffer.from(serialiseReceipt(changed)) };
    }),
    ...Array.from({ length: count }, (_, index) => {
      const name = FLIPPED[index % FLIPPED.length] ?? random.pick(FLIPPED);
      const bytes = Buffer.from(textOf(name));
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return { name: `${name}: byte ${at}`, bytes };
    }),
  ];
  const cases: ReceiptCase[] = [];
  for (const { name, bytes } of written) {
    const { blockHashes, pins } = vectors;
    const options = { pins, blockHashes, now: BigInt(vectors.now) };
    const whole = Uint8Array.from(bytes);
    const lines = await verify(whole, options);
    const printed = texts.has(name) && {
      lines: printLines(lines, { isColoured: false }),
      receipt: printReceipt(isLegacy(whole) ? parseLegacyReceipt(whole) : parseReceipt(whole)),
    };
    cases.push({ name, bytes: bytes.toString("hex"), lines, ...(printed && { printed }) });
  }
  return cases;
}
