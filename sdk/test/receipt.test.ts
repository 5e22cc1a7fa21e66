import { readFileSync } from "node:fs";
import {
  hashResult,
  hashWords as hashWordsThere,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type LegacyReceipt,
  parseLegacyReceipt,
  readLegacyReceipt,
} from "../src/legacy/legacyReceipt.ts";
import { appendEvidence, makeReceipt } from "../src/receipt/makeReceipt.ts";
import { parseReceipt } from "../src/receipt/parseReceipt.ts";
import { LIMITS, type Receipt } from "../src/receipt/receipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { P256_PREFIX, withOtherS } from "../src/signatureForm.ts";
import { hashWords, receiptId } from "../src/typedData.ts";
import { changeAt, placesIn } from "./support/changeAt.ts";
import { sampleCore } from "./support/samples.ts";
import { textOf } from "./support/vectors.ts";

const schemaIn = (name: string) =>
  z.fromJSONSchema(
    JSON.parse(readFileSync(new URL(`../../docs/receipts/${name}`, import.meta.url), "utf8")),
  );
const SCHEMA = schemaIn("haca-receipt-1.schema.json");
const LEGACY_SCHEMA = schemaIn("haca-legacy-receipt-1.schema.json");

const word = (digit: string): string => `0x${digit.repeat(64)}`;
const receipt = makeReceipt({
  core: sampleCore(),
  evidence: [
    { type: "proof", proof: `0x${"07".repeat(256)}`, verifyingKey: `0x${"08".repeat(512)}` },
    {
      type: "page",
      ...{ pageSettlement: `0x${"22".repeat(20)}`, pageId: word("7") },
      header: {
        ...{ kind: "3", teeId: word("0"), ledgerPage: "9", bitmap: "1", root: word("8") },
        ...{ blobId: word("9"), proposer: `0x${"33".repeat(20)}`, fee: "0" },
      },
      path: Array.from({ length: 8 }, () => word("a")),
    },
    { type: "attestation", document: "0x00" },
    { type: "witness", header: "0x01", nodes: ["0x02"], codes: ["0x03"] },
  ],
  hints: { "a url": "https://example.org/ü", transaction: "0x00" },
});
const written = serialiseReceipt(receipt);
const malformed = (path: string) =>
  expect.objectContaining({ message: expect.stringContaining(path) });

describe("a receipt", () => {
  it("is read from what it is written as, text or bytes", () => {
    expect(parseReceipt(written)).toEqual(receipt);
    expect(parseReceipt(new TextEncoder().encode(written))).toEqual(receipt);
  });

  it("is called by the digest that ethers and the contracts' bindings have", () => {
    const { chainId, settlement, message } = receipt.core;
    const domain = settlementDomain({ chainId: BigInt(chainId), settlement });
    const result = {
      ...message,
      price: BigInt(message.price),
      timestamp: BigInt(message.timestamp),
    };
    expect(receiptId(receipt.core)).toBe(hashResult({ domain, result }));
    const words = [word("0"), word("f"), word("1")];
    expect(hashWords(words)).toBe(hashWordsThere(words.map(BigInt)));
  });

  it("keeps its core when evidence is appended", () => {
    const more = appendEvidence(receipt, { type: "attestation", document: "0x01" });
    expect(more.core).toEqual(receipt.core);
    expect(more.evidence).toHaveLength(receipt.evidence.length + 1);
  });

  it.each<[string, string]>([
    ["a space", `${written} `],
    ["a byte order mark", `\ufeff${written}`],
    ["another order", JSON.stringify(receipt)],
    ["an escape that is not needed", written.replace("https:", "https\\u003a")],
    ["a name that comes twice", written.replace('{"core":', '{"core":{},"core":')],
    ["upper case", written.replace(word("a"), word("A"))],
    ["a lone surrogate", written.replace("https:", "\\ud800")],
    ["no JSON", written.slice(0, -1)],
    ["a list", "[]"],
  ])("is refused with %s", (_, text) => {
    expect(text).not.toBe(written);
    expect(() => parseReceipt(text)).toThrow(expect.objectContaining({ code: "format.malformed" }));
  });

  it("is refused where it is not UTF-8, or too large", () => {
    expect(() => parseReceipt(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(malformed("UTF-8"));
    const large = " ".repeat(LIMITS.receipt + 1);
    expect(() => parseReceipt(large)).toThrow(malformed("bytes at most"));
  });

  it.each<[string, Partial<Receipt["core"]>]>([
    ["core.chainId", { chainId: "031" }],
    ["core.chainId", { chainId: String(2n ** 64n) }],
    ["core.settlement", { settlement: "0x11" }],
    ["core.signature", { signature: `0x${"12".repeat(64)}00` }],
    ["core.signature", { signature: `0x${"12".repeat(64)}` }],
    ["core.key", { key: "0x01" }],
    ["receipt.core", { session: `0x${"11".repeat(20)}` }],
    ["core.output", { output: { type: "words", words: [] } }],
  ])("is refused for %s, by name", (path, change) => {
    expect(() => makeReceipt({ core: sampleCore(change) })).toThrow(malformed(path));
  });

  it("needs a key where its message names an enclave", () => {
    const { message } = sampleCore();
    const core = sampleCore({ message: { ...message, teeId: word("1") } });
    expect(() => makeReceipt({ core })).toThrow(malformed("core.key"));
  });

  it("has the lower s, whoever signed, and is refused with the other", () => {
    const { message } = sampleCore();
    const p256 = sampleCore({
      message: { ...message, teeId: word("1") },
      key: `${P256_PREFIX}${"01".repeat(64)}`,
      signature: `0x${"12".repeat(64)}`,
    });
    for (const core of [sampleCore(), p256]) {
      const low = makeReceipt({ core });
      const other = withOtherS(core);
      expect(other).not.toBe(core.signature);
      expect(makeReceipt({ core: { ...core, signature: other } })).toEqual(low);
      const text = serialiseReceipt(low).replace(core.signature, other);
      expect(() => parseReceipt(text)).toThrow(malformed("core.signature"));
    }
  });
});

/** Every object in a value of JSON, with a way to write the value with a changed one in its place. */
function* objectsIn(
  value: unknown,
  replace: (by: unknown) => unknown,
): Generator<{
  found: Record<string, unknown>;
  replace: (by: unknown) => unknown;
}> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { found: value as Record<string, unknown>, replace };
  for (const [name, member] of Object.entries(value)) {
    yield* objectsIn(member, (by) => {
      if (!Array.isArray(value)) return replace({ ...value, [name]: by });
      return replace(value.map((entry, index) => (String(index) === name ? by : entry)));
    });
  }
}

const isReceipt = (text: string): boolean => {
  try {
    parseReceipt(text);
    return true;
  } catch {
    return false;
  }
};

describe("the schema in docs/receipts", () => {
  it("takes the receipt", () => {
    expect(SCHEMA.safeParse(receipt).error).toBeUndefined();
  });

  it("misses every field that the reader misses, and knows no other, hints apart", () => {
    let removed = 0;
    for (const { found, replace } of objectsIn(receipt, (by) => by)) {
      if (found === receipt.hints) continue;
      const added = replace({ ...found, more: "1" }) as Receipt;
      expect(SCHEMA.safeParse(added).success).toBe(false);
      expect(isReceipt(serialiseReceipt(added))).toBe(false);
      for (const name of Object.keys(found)) {
        const { [name]: _, ...others } = found;
        const without = replace(others) as Receipt;
        expect(SCHEMA.safeParse(without).success).toBe(false);
        expect(isReceipt(serialiseReceipt(without))).toBe(false);
        removed += 1;
      }
    }
    expect(removed).toBe(48);
  });
});

it("the schema of the profile legacy takes what its reader takes, and no other field", () => {
  const legacy: LegacyReceipt = JSON.parse(textOf("legacyText"));
  expect(LEGACY_SCHEMA.safeParse(legacy).error).toBeUndefined();
  expect(parseLegacyReceipt(textOf("legacyText"))).toEqual(legacy);
  const isTaken = (changed: object): boolean => {
    try {
      return readLegacyReceipt(changed) !== undefined;
    } catch {
      return false;
    }
  };
  let removed = 0;
  for (const { path, value } of placesIn(legacy)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    if (path[0] === "hints") continue;
    const added = changeAt(legacy, path, { ...value, more: "1" }) as object;
    expect([LEGACY_SCHEMA.safeParse(added).success, isTaken(added)]).toEqual([false, false]);
    for (const name of Object.keys(value)) {
      const { [name]: _, ...others } = value as Record<string, unknown>;
      const without = changeAt(legacy, path, others) as object;
      expect([LEGACY_SCHEMA.safeParse(without).success, isTaken(without)]).toEqual([false, false]);
      removed += 1;
    }
  }
  expect(removed).toBe(20);
});
