import { describe, expect, it } from "vitest";
import { isVerified } from "../src/isVerified.ts";
import type { Receipt } from "../src/receipt/receipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { changeAt, placesIn } from "./support/changeAt.ts";
import { NOW, OPTIONS, receiptOf, textOf, VECTORS } from "./support/vectors.ts";

const IS_DEEP = process.env.HACA_DEEP === "1";
/** One byte in so many is flipped by default. */
const STEP = 401;

const holds = async (text: string | Uint8Array): Promise<boolean> =>
  isVerified(await verify(text, OPTIONS), { legacy: true });

describe("good receipts", () => {
  it.each(VECTORS.good)(
    "$name: $isVerified",
    async ({ receipt, isVerified: expected, asserted, legacy = false }) => {
      const lines = await verify(receipt, OPTIONS);
      expect(lines.filter(({ status }) => status === "refuted")).toEqual([]);
      const found = lines.filter(({ status }) => status === "asserted").map(({ check }) => check);
      expect(found).toEqual(expect.arrayContaining(asserted));
      expect(isVerified(lines, { legacy })).toBe(expected);
      if (legacy) expect(isVerified(lines)).toBe(false);
    },
  );

  it("are not verified without pins, whatever they say themselves", async () => {
    for (const { receipt } of VECTORS.good) {
      expect(isVerified(await verify(receipt, { now: NOW }), { legacy: true })).toBe(false);
    }
  });

  it.each(["settlements", "images", "models"] as const)(
    "are not verified without the pinned %s",
    async (name) => {
      const { [name]: _, ...pins } = VECTORS.pins;
      const lines = await verify(textOf("teeP256"), { pins, now: NOW });
      expect(isVerified(lines)).toBe(false);
      expect(lines.filter(({ status }) => status === "refuted")).toEqual([]);
    },
  );

  it("are of the model that was asked for, where one is named", async () => {
    const by = async (model: string) => {
      const lines = await verify(textOf("zkml"), { ...OPTIONS, model });
      return [lines.find(({ check }) => check === "model")?.status, isVerified(lines)];
    };
    expect(await by("proved")).toEqual(["asserted", true]);
    expect(await by("language")).toEqual(["refuted", false]);
    expect(await by("constructor")).toEqual(["unknown", false]);
  });

  it("are judged by the root that is pinned, AWS's if none is", async () => {
    const { attestationRoot: _, ...pins } = VECTORS.pins;
    const lines = await verify(textOf("teeP256"), { pins, now: NOW });
    expect(lines.find(({ check }) => check === "attestation")?.status).toBe("refuted");
  });

  it("are verified a year later as they were", async () => {
    const later = { ...OPTIONS, now: NOW + 366n * 86_400n };
    for (const { receipt, isVerified: expected, legacy = false } of VECTORS.good) {
      expect(isVerified(await verify(receipt, later), { legacy })).toBe(expected);
    }
  });

  it("are verified by a clock that is 45 seconds behind, and not by one of 2 minutes", async () => {
    const at = BigInt(receiptOf("teeRsa").core.message.timestamp);
    const by = async (now: bigint) => isVerified(await verify(textOf("zkml"), { ...OPTIONS, now }));
    expect(await by(at - 45n)).toBe(true);
    expect(await by(at - 120n)).toBe(false);
  });
});

describe("bad receipts", () => {
  it.each(VECTORS.bad)("$name: $refuted", async ({ of, path, value, refuted }) => {
    const changed = serialiseReceipt(changeAt(receiptOf(of), path, value) as Receipt);
    expect(changed).not.toBe(textOf(of));
    const lines = await verify(changed, OPTIONS);
    const found = lines.filter(({ status }) => status === "refuted").map(({ check }) => check);
    if (refuted === null) expect(found).toEqual(["form"]);
    else expect(found).toContain(refuted);
    expect(isVerified(lines, { legacy: true })).toBe(false);
  });
});

/** Receipts of which every byte counts: a verified one of each kind of key, and of each kind of evidence. */
const WHOLE = ["teeRsa", "teeSecp256k1", "teeP256InPage", "zkmlInPage", "legacyText"];

describe("a receipt of which a byte is flipped", () => {
  it.each(WHOLE)("is not verified: %s", async (name) => {
    const bytes = new TextEncoder().encode(textOf(name));
    const hints = textOf(name).indexOf('"hints":{');
    const hintsEnd = textOf(name).indexOf("}", hints);
    const start = VECTORS.good.findIndex((good) => good.name === name);
    for (let at = start; at < bytes.length; at += IS_DEEP ? 1 : STEP) {
      if (at > hints && at <= hintsEnd) continue;
      const flipped = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8)));
      if (await holds(flipped)) throw new Error(`verified: byte ${at}`);
    }
  });

  it.each(WHOLE)("is not verified, though it is hex still: %s", async (name) => {
    const receipt = receiptOf(name);
    let places = 0;
    for (const { path, value } of placesIn(receipt)) {
      if (typeof value !== "string" || !value.startsWith("0x") || path[0] === "hints") continue;
      const length = (value.length - 2) / 2;
      for (let at = places % 7; at < length; at += IS_DEEP ? 1 : STEP) {
        const byte = (Number.parseInt(value.slice(2 + 2 * at, 4 + 2 * at), 16) ^ (1 << (at % 8)))
          .toString(16)
          .padStart(2, "0");
        const flipped = `${value.slice(0, 2 + 2 * at)}${byte}${value.slice(4 + 2 * at)}`;
        const text = serialiseReceipt(changeAt(receipt, path, flipped) as Receipt);
        if (await holds(text)) throw new Error(`verified: byte ${at} of ${path.join(".")}`);
      }
      places += 1;
    }
    expect(places).toBeGreaterThan(name === "legacyText" ? 6 : 10);
  });

  it("is what it was, where it is in the hints", async () => {
    const receipt = receiptOf("zkmlInPage");
    const lines = await verify(receipt, OPTIONS);
    const url = receipt.hints.url ?? "";
    for (let at = 0; at < url.length; at += 1) {
      const other = String.fromCharCode(url.charCodeAt(at) ^ 1);
      const hints = { url: url.slice(0, at) + other + url.slice(at + 1) };
      if (!IS_DEEP && at % 10 !== 0) continue;
      expect(await verify(serialiseReceipt({ ...receipt, hints }), OPTIONS)).toEqual(lines);
    }
  });
});

describe("a receipt that is written otherwise", () => {
  it.each(WHOLE)("is none: a field that is missing, or in another place: %s", async (name) => {
    const receipt = receiptOf(name);
    for (const { path, value } of placesIn(receipt)) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
      if (path[0] === "hints") continue;
      for (const field of Object.keys(value)) {
        const { [field]: _, ...others } = value as Record<string, unknown>;
        const without = serialiseReceipt(changeAt(receipt, path, others) as Receipt);
        expect(await holds(without)).toBe(false);
      }
    }
    const reversed = JSON.stringify(receipt, (_, value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? 1 : -1)))
        : value,
    );
    expect(await holds(reversed)).toBe(false);
    for (const { path, value } of placesIn(receipt)) {
      if (typeof value !== "string" || !/^0x.*[a-f]/.test(value) || path[0] === "hints") continue;
      const upper = changeAt(receipt, path, `0x${value.slice(2).toUpperCase()}`) as Receipt;
      expect(await holds(serialiseReceipt(upper))).toBe(false);
    }
  });
});
