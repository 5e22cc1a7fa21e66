import { readFileSync } from "node:fs";
import { userPath } from "@haca/protocol/userPath";
import { parseUnits } from "ethers";
import { z } from "zod";
import { ConfigurationError } from "../gatewayError.ts";
import type { TokenPrice } from "./tokenPrice.ts";

/** Of dollars and rates. */
const DECIMALS = 18;
const NAME = "HACA_GATEWAY_PRICES";
const MAXIMUM = 1n << 128n;
/** What OPG is called in the table. */
export const OPG = "OPG";
/** All offers stand in one header, of which stock clients take 16 KiB. */
const MOST_TOKENS = 4;
/** Whatever has more is none: a unit of it would be worth nothing. */
const MOST_DECIMALS = 36;

/**
 * What an answer of a model costs: an amount of a token in smallest units, of which `perToken` leaves what the answer did not use, or US
 * dollars by a rate; undefined: nothing.
 */
export type Price =
  | { amount: bigint; perToken?: TokenPrice | undefined }
  | { usd: bigint }
  | undefined;

/** What of a price is for each token; undefined: nothing. */
export const tokenPriceOf = (price: Price): TokenPrice | undefined =>
  price !== undefined && "amount" in price ? price.perToken : undefined;

/** US dollars for one of a token, for good; or where they come from, and what is believed of it. Rates have 18 decimals. */
export type RateSettings = { fixed: bigint } | RateSourceSettings;
export type RateSourceSettings = {
  url: string;
  floor: bigint;
  ceiling: bigint;
  /** largest change from one rate to the next, in hundredths of a percent of the former */
  stepBps: number;
  /** age at which no price is made of it any more */
  staleSeconds: number;
};

/** Of OPG's every model that is served has a row; of another token's those that are paid in it. */
export type PriceTable = {
  models: ReadonlyMap<string, Price>;
  /** of a sealed request, whatever is in it, in OPG alone; undefined: none is taken */
  oblivious?: Price;
  rate: RateSettings | undefined;
};

/** What a request costs by the table: one whose model nobody sees has one price for all. */
export const priceFor = (table: PriceTable, { model }: { model: string | undefined }): Price =>
  model === undefined ? table.oblivious : table.models.get(model);

/** A token besides OPG that the table has prices in. */
export type TableToken = {
  /** what the table calls it */
  symbol: string;
  address: string;
  /** EIP-712 name and version */
  name: string;
  version: string;
  decimals: number;
  /** operator of commerce payments in it */
  operator: string;
  /** smallest units that one payer pays in a day at most */
  spend: bigint | undefined;
  prices: PriceTable;
};

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
const symbol = z.string().regex(/^[A-Za-z][\w.-]{0,31}$/, "must be a token's name in the table");
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
const words = z.string().min(1, "must not be empty").max(64, "must have at most 64 characters");
const price = z.union([
  z.strictObject({ token: symbol, amount, perToken: perToken.optional() }),
  z.strictObject({ token: symbol, usd: decimal }),
]);
const row = z.union(
  [price, z.array(price).min(1), z.strictObject({ free: z.literal(true) })],
  'must be { "token": "OPG", "amount": "<smallest units>" }, with "perToken": { "input", "output" } or without, { "token": "OPG", "usd": "<dollars>" }, a list of such, one a token, or { "free": true }',
);
const opg = z.literal(OPG, `must be ${OPG}`);
const flatRow = z.union(
  [z.strictObject({ token: opg, amount }), z.strictObject({ token: opg, usd: decimal })],
  'must be { "token": "OPG", "amount": "<smallest units>" } or { "token": "OPG", "usd": "<dollars>" }: one price for whatever is sealed',
);
const sourceSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    ...{ floor: decimal, ceiling: decimal },
    stepBps: z.int("must be an integer").min(1).max(10_000),
    staleSeconds: z.int("must be an integer").min(1).max(86_400),
  })
  .refine(({ ceiling, floor }) => floor <= ceiling, {
    ...{ path: ["floor"], error: "must not be above the ceiling" },
  });
const fixedSchema = z.strictObject({ fixed: decimal });
/** By what it has, so that what is wrong is named of the form that is meant. */
const rateSchema = z.unknown().transform((given, context): RateSettings => {
  const isFixed = typeof given === "object" && given !== null && "fixed" in given;
  const parsed = (isFixed ? fixedSchema : sourceSchema).safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { message, path } of parsed.error.issues) {
    context.addIssue({ code: "custom", message, path });
  }
  return z.NEVER;
});
const tokenSchema = z.strictObject({
  ...{ address, name: words, version: words, operator: address },
  decimals: z.int("must be an integer").min(0).max(MOST_DECIMALS),
  ...{ rate: rateSchema.optional(), spendLimit: amount.optional() },
});
const schema = z.strictObject({
  ...{ models: z.record(z.string(), row), rate: rateSchema.optional() },
  oblivious: flatRow.optional(),
  tokens: z
    .record(symbol, tokenSchema)
    .refine((tokens) => Object.keys(tokens).length <= MOST_TOKENS, {
      error: `must be ${MOST_TOKENS} at most`,
    })
    .default({}),
});

/**
 * Reads the price table: a file, or, where the text begins with `{`, the table itself. Every model that is served has a row,
 * and no other has; what is not free has a price in OPG. @throws ConfigurationError naming the row
 */
export function readPrices(
  given: string,
  served: ReadonlySet<string>,
): PriceTable & { others: TableToken[] } {
  const parsed = schema.safeParse(jsonOf(given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(issue?.path.join(".") || "the table", issue?.message ?? "is malformed");
  }
  const { models, oblivious, rate, tokens } = parsed.data;
  if (OPG in tokens) throw wrong(`tokens.${OPG}`, "is the address book's: its rate is the table's");
  const tables = new Map<string, Map<string, Price>>([OPG, ...Object.keys(tokens)].map(emptyOf));
  for (const [name, rows] of Object.entries(models)) {
    if (!served.has(name)) throw wrong(`models.${name}`, "HACA_GATEWAY_MODELS has no such model");
    if ("free" in rows) tables.get(OPG)?.set(name, undefined);
    else {
      for (const price of [rows].flat()) {
        const rateOf = price.token === OPG ? rate : tokens[price.token]?.rate;
        addPrice({ table: tables.get(price.token), name, price, rate: rateOf });
      }
    }
    if (!tables.get(OPG)?.has(name)) throw wrong(`models.${name}`, "has no price in OPG");
  }
  const missing = [...served].find((name) => !tables.get(OPG)?.has(name));
  if (missing !== undefined) throw wrong(`models.${missing}`, "is missing");
  const others = Object.entries(tokens).map(([symbol, { rate, spendLimit: spend, ...token }]) => {
    const models = tables.get(symbol) ?? new Map();
    if (models.size === 0) throw wrong(`tokens.${symbol}`, "no model has a price in it");
    return { symbol, ...token, spend, prices: { models, rate } };
  });
  const inOpg = { models: tables.get(OPG) ?? new Map<string, Price>(), oblivious, rate };
  if (oblivious !== undefined) requireCovering(oblivious, inOpg);
  return { ...inOpg, others: requireDifferent(others) };
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

const emptyOf = (symbol: string): [string, Map<string, Price>] => [symbol, new Map()];

/** Notes what a model costs in a token. @throws ConfigurationError */
function addPrice(parameters: {
  /** the token's; undefined: there is no such token */
  table: Map<string, Price> | undefined;
  name: string;
  price: z.output<typeof price>;
  rate: RateSettings | undefined;
}): void {
  const { name, price, rate, table } = parameters;
  const { token } = price;
  if (table === undefined) throw wrong(`models.${name}.token`, `tokens has no ${token}`);
  if (table.has(name)) throw wrong(`models.${name}`, `has two prices in ${token}`);
  if ("usd" in price && rate === undefined) {
    throw wrong(`models.${name}.usd`, `needs ${token === OPG ? "the table's" : `${token}'s`} rate`);
  }
  table.set(name, price);
}

/** What a payment is in tells which row it is for. @throws ConfigurationError */
function requireDifferent(others: TableToken[]): TableToken[] {
  const seen = new Set<string>();
  for (const { address, symbol } of others) {
    const small = address.toLowerCase();
    if (seen.has(small)) throw wrong(`tokens.${symbol}.address`, "is another token's, too");
    seen.add(small);
  }
  return others;
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
