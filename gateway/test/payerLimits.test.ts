import { expect, it } from "vitest";
import type { Grant } from "../src/payments/grant.ts";
import { requireWithinLimits } from "../src/payments/payerLimits.ts";
import type { OtherToken } from "../src/payments/paymentSettings.ts";
import { OPG_TOKEN } from "./support/paidBed.ts";

const USDC = { symbol: "USDC", address: `0x${"68".repeat(20)}`, name: "USD Coin", version: "2" };
const PAYER = `0x${"01".repeat(20)}`;
/** Limits, in units that are of no common divisor. */
const [OPG_LIMIT, USDC_LIMIT] = [3n * 10n ** 18n, 7n];

/** Whether a payer may pay so much after what they have paid. */
function isTaken(of: {
  paid: readonly (readonly [token: "OPG" | "USDC", amount: bigint])[];
  next: readonly [token: "OPG" | "USDC", amount: bigint];
  limits?: readonly [bigint | undefined, bigint | undefined];
}): boolean {
  const { limits: [spend, other] = [OPG_LIMIT, USDC_LIMIT], next, paid } = of;
  const grants = paid.map(([token, amount]) => ({
    ...{ state: "answered", amount: String(amount), at: Date.now(), transaction: "0x" },
    // In whatever letters.
    ...(token === "USDC" && { job: { payment: { token: USDC.address.toUpperCase() } } }),
  }));
  const others = [{ token: { ...USDC, decimals: 6 }, spend: other }] as OtherToken[];
  const [token, amount] = next;
  try {
    requireWithinLimits({
      ledger: { of: () => grants as unknown as Grant[] },
      settings: { limits: { spend, failures: 20 }, others, token: OPG_TOKEN },
      ...{ payer: PAYER, amount, token: token === "OPG" ? OPG_TOKEN.address : USDC.address },
    });
    return true;
  } catch {
    return false;
  }
}

it("each token's limit is reached, and not passed by a unit", () => {
  for (const [token, limit] of [
    ["OPG", OPG_LIMIT],
    ["USDC", USDC_LIMIT],
  ] as const) {
    expect(isTaken({ paid: [[token, 1n]], next: [token, limit - 1n] })).toBe(true);
    expect(isTaken({ paid: [[token, 1n]], next: [token, limit] })).toBe(false);
  }
});

it("what is left of one is what is left of the other", () => {
  const third = ["OPG", OPG_LIMIT / 3n] as const;
  expect(isTaken({ paid: [third], next: ["USDC", 4n] })).toBe(true);
  expect(isTaken({ paid: [third], next: ["USDC", 5n] })).toBe(false);
  expect(isTaken({ paid: [["USDC", USDC_LIMIT]], next: ["OPG", 1n] })).toBe(false);
  expect(isTaken({ paid: [["OPG", OPG_LIMIT]], next: ["USDC", 1n] })).toBe(false);
});

it("one that nobody may pay in leaves the other's as it is, and none limits nothing", () => {
  const limits = [0n, USDC_LIMIT] as const;
  expect(isTaken({ paid: [], next: ["OPG", 1n], limits })).toBe(false);
  expect(isTaken({ paid: [], next: ["USDC", USDC_LIMIT], limits })).toBe(true);
  expect(isTaken({ paid: [], next: ["USDC", USDC_LIMIT + 1n], limits })).toBe(false);
  const none = { limits: [undefined, undefined] as const };
  expect(isTaken({ paid: [["OPG", 1n]], next: ["USDC", 1n << 100n], ...none })).toBe(true);
});
