import { readFileSync } from "node:fs";
import { userPath } from "@haca/protocol/userPath";
import { parseUnits } from "ethers";
import { z } from "zod";
import { ConfigurationError } from "../gatewayError.ts";
import type { TokenPrice } from "./tokenPrice.ts";

/** OPG's. */
const DECIMALS = 18;
const NAME = "HACA_GATEWAY_PRICES";
const MAXIMUM = 1n << 128n;

/**
 * What an answer of a model costs: an amount of OPG in smallest units, of which `perToken` leaves what the answer did not use, or US
 * dollars by a rate; undefined: nothing.
 */
export type Price =
  | { amount: bigint; perToken?: TokenPrice | undefined }
  | { usd: bigint }
  | undefined;

/** What of a price is for each token; undefined: nothing. */
export const tokenPriceOf = (price: Price): TokenPrice | undefined =>
  price !== undefined && "amount" in price ? price.perToken : undefined;

/** Where the rate, US dollars for an OPG, comes from, and what is believed of it. Rates have 18 decimals. */
export type RateSettings = {
  url: string;
  floor: bigint;
  ceiling: bigint;
  /** largest change from one rate to the next, in hundredths of a percent of the former */
  stepBps: number;
  /** age at which no price is made of it any more */
  staleSeconds: number;
};

export type PriceTable = {
  models: ReadonlyMap<string, Price>;
  /** of a sealed request, whatever is in it; undefined: none is taken */
  oblivious?: Price;
  rate: RateSettings | undefined;
};

/** What a request costs by the table: one whose model nobody sees has one price for all. */
export const priceFor = (table: PriceTable, { model }: { model: string | undefined }): Price =>
  model === undefined ? table.oblivious : table.models.get(model);

const decimal = z
  .string()
  .regex(/^\d{1,20}(\.\d{1,18})?$/, "must be a decimal text with 18 decimals at most")
  .transform((text) => parseUnits(text, DECIMALS))
  .refine((value) => value > 0n, "must be above 0");
const units = z
  .string()
  .regex(/^\d{1,39}$/, "must be a decimal text of smallest units")
  .transform(BigInt)
  .refine((value) => value < MAXIMUM, "must be below 2^128");
const amount = units.refine((value) => value > 0n, "must be above 0");
const perToken = z.strictObject({ input: units, output: units });
const token = z.literal("OPG", "must be OPG");
const inDollars = z.strictObject({ token, usd: decimal });
const row = z.union(
  [
    z.strictObject({ token, amount, perToken: perToken.optional() }),
    inDollars,
    z.strictObject({ free: z.literal(true) }),
  ],
  'must be { "token": "OPG", "amount": "<smallest units>" }, with "perToken": { "input", "output" } or without, { "token": "OPG", "usd": "<dollars>" } or { "free": true }',
);
const flatRow = z.union(
  [z.strictObject({ token, amount }), inDollars],
  'must be { "token": "OPG", "amount": "<smallest units>" } or { "token": "OPG", "usd": "<dollars>" }: one price for whatever is sealed',
);
const rateSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    ...{ floor: decimal, ceiling: decimal },
    stepBps: z.int("must be an integer").min(1).max(10_000),
    staleSeconds: z.int("must be an integer").min(1).max(86_400),
  })
  .refine(({ ceiling, floor }) => floor <= ceiling, {
    ...{ path: ["floor"], error: "must not be above the ceiling" },
  });
const schema = z.strictObject({
  models: z.record(z.string(), row),
  oblivious: flatRow.optional(),
  rate: rateSchema.optional(),
});

/**
 * Reads the price table: a file, or, where the text begins with `{`, the table itself. Every model that is served has a row,
 * and no other has. @throws ConfigurationError naming the row
 */
export function readPrices(given: string, served: ReadonlySet<string>): PriceTable {
  const parsed = schema.safeParse(jsonOf(given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(issue?.path.join(".") || "the table", issue?.message ?? "is malformed");
  }
  const { models, oblivious, rate } = parsed.data;
  const table = new Map<string, Price>();
  for (const [name, price] of Object.entries(models)) {
    if (!served.has(name)) throw wrong(`models.${name}`, "HACA_GATEWAY_MODELS has no such model");
    if ("usd" in price && rate === undefined) {
      throw wrong(`models.${name}.usd`, "needs the table's rate");
    }
    table.set(name, "free" in price ? undefined : price);
  }
  const missing = [...served].find((name) => !table.has(name));
  if (missing !== undefined) throw wrong(`models.${missing}`, "is missing");
  if (oblivious !== undefined) requireCovering(oblivious, { models: table, rate });
  return { models: table, oblivious, rate };
}

/** What is sealed may ask for any model: where it cost less than one, nobody would pay that one's price. */
function requireCovering(flat: NonNullable<Price>, { models, rate }: PriceTable): void {
  if ("usd" in flat && rate === undefined) throw wrong("oblivious.usd", "needs the table's rate");
  for (const [name, price] of models) {
    if (price === undefined) continue;
    // An amount and dollars are compared by nobody: the rate between them moves.
    if ("usd" in flat && "usd" in price && flat.usd < price.usd) {
      throw wrong("oblivious.usd", `is below models.${name}.usd`);
    }
    if ("amount" in flat && "amount" in price && flat.amount < price.amount) {
      throw wrong("oblivious.amount", `is below models.${name}.amount`);
    }
  }
}

function jsonOf(given: string): unknown {
  let text = given;
  if (!given.trimStart().startsWith("{")) {
    try {
      text = readFileSync(userPath(given), "utf8");
    } catch {
      throw wrong(given, "cannot be read");
    }
  }
  try {
    return JSON.parse(text);
  } catch {
    throw wrong("the table", "is not JSON");
  }
}

const wrong = (place: string, reason: string): ConfigurationError =>
  new ConfigurationError({
    code: "configuration.wrong",
    message: `${NAME}: ${place}: ${reason}`,
    details: { name: NAME },
  });
