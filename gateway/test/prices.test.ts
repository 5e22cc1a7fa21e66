import type { JsonObject } from "@haca/protocol/json/json";
import { parseEther } from "ethers";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { readPrices } from "../src/payments/prices.ts";
import { RateSource, unitsFor } from "../src/payments/rate.ts";
import { priceOfAnswer } from "../src/payments/tokenPrice.ts";
import { answering } from "./support/bed.ts";
import { HttpServer } from "./support/httpServer.ts";

const SERVED = new Set(["m"]);
const ONE = 10n ** 18n;
const RATE = { url: "https://rates.example/opg", floor: "0.01", ceiling: "1", stepBps: 1_000 };
const table = (models: object, rate?: object) => JSON.stringify({ models, ...(rate && { rate }) });

describe("the price of an answer", () => {
  const most = 1_000n;
  const perToken = { input: 3n, output: 50n };
  const priceOf = (usage: object | undefined, price = perToken) => {
    const fields = new Map(Object.entries(usage ?? {}));
    const answer: JsonObject = new Map(usage === undefined ? [] : [["usage", fields]]);
    return priceOfAnswer({ answer, most, perToken: price });
  };
  const used = (prompt_tokens: unknown, completion_tokens: unknown) => ({
    ...{ prompt_tokens, completion_tokens },
  });

  it("is that of the tokens that it used, up to the most, and never nothing", () => {
    expect(priceOf(used(10, 7))).toBe(380n);
    expect(priceOf(used(10, 20))).toBe(most);
    expect(priceOf(used(0, 0))).toBe(1n);
    expect(priceOf(used(10, 7), { input: 0n, output: 0n })).toBe(1n);
  });

  it("is the most where nobody says how many, and where there is no price of a token", () => {
    for (const usage of [undefined, {}, used("10", 7), used(10, -1), used(10, 1.5), used(null, 7)])
      expect(priceOf(usage)).toBe(most);
    const answer = new Map([["usage", new Map(Object.entries(used(10, 7)))]]) as JsonObject;
    expect(priceOfAnswer({ answer, most, perToken: undefined })).toBe(most);
  });
});

describe("the price table", () => {
  it("has an amount, dollars by a rate, or nothing, for every model", () => {
    const served = new Set(["a", "b", "c"]);
    const given = table(
      { a: { token: "OPG", amount: "5" }, b: { token: "OPG", usd: "0.5" }, c: { free: true } },
      { ...RATE, staleSeconds: 60 },
    );
    const { models, rate } = readPrices(given, served);
    expect([...models]).toEqual([
      ["a", { token: "OPG", amount: 5n }],
      ["b", { token: "OPG", usd: ONE / 2n }],
      ["c", undefined],
    ]);
    expect(rate).toMatchObject({ floor: ONE / 100n, ceiling: ONE, stepBps: 1_000 });
  });

  it("has one price for sealed requests, which covers those of all models in its unit, or none", () => {
    const models = { m: { token: "OPG", usd: "0.02" } };
    const rate = { ...RATE, staleSeconds: 60 };
    const read = (oblivious?: object) =>
      readPrices(JSON.stringify({ models, rate, ...(oblivious && { oblivious }) }), SERVED);
    expect(read().oblivious).toBeUndefined();
    expect(read({ token: "OPG", usd: "0.02" }).oblivious).toMatchObject({ usd: ONE / 50n });
    expect(read({ token: "OPG", amount: "1" }).oblivious).toMatchObject({ amount: 1n });
    expect(() => read({ token: "OPG", usd: "0.019" })).toThrow("oblivious.usd: is below models.m");
  });

  for (const [what, given, words] of [
    ["a price of nothing", table({ m: { token: "OPG", amount: "0" } }), "models.m"],
    [
      "a price of a token of the answer alone",
      table({ m: { token: "OPG", amount: "1", perToken: { output: "1" } } }),
      "models.m",
    ],
    ["another token", table({ m: { token: "USDC", amount: "1" } }), "models.m"],
    [
      "a field that nobody reads",
      table({ m: { token: "OPG", amount: "1", max: "2" } }),
      "models.m",
    ],
    ["a model that is not served", table({ m: { free: true }, n: { free: true } }), "models.n"],
    ["a model without a row", table({}), "models.m: is missing"],
    ["dollars without a rate", table({ m: { token: "OPG", usd: "1" } }), "models.m.usd"],
    [
      "bounds the wrong way round",
      table({ m: { free: true } }, { ...RATE, floor: "2", staleSeconds: 60 }),
      "rate.floor",
    ],
    ...(
      [
        ["below a model's", { token: "OPG", amount: "9" }, "oblivious.amount: is below models.m"],
        ["by tokens", { token: "OPG", amount: "10", perToken: {} }, "oblivious: "],
        ["of nothing", { free: true }, "oblivious: must be"],
        ["in dollars without a rate", { token: "OPG", usd: "1" }, "oblivious.usd: needs"],
      ] as const
    ).map(
      ([what, oblivious, words]) =>
        [
          `a price of sealed requests ${what}`,
          JSON.stringify({ models: { m: { token: "OPG", amount: "10" } }, oblivious }),
          words,
        ] as const,
    ),
    ["what is no JSON", "{", "is not JSON"],
    ["a file that is not there", "/nowhere/prices.json", "cannot be read"],
  ] as const) {
    it(`is refused with ${what}, by the place`, () => {
      expect(() => readPrices(given, SERVED)).toThrow(`HACA_GATEWAY_PRICES: `);
      expect(() => readPrices(given, SERVED)).toThrow(words);
    });
  }
});

describe("the price table in other tokens", () => {
  const address = `0x${"68".repeat(20)}`;
  const operator = `0x${"67".repeat(20)}`;
  const USDC = { address, name: "USD Coin", version: "2", decimals: 6, operator };
  const OPG_ROW = { token: "OPG", amount: "5" };
  const IN_USDC = { token: "USDC", usd: "0.02" };
  const FIXED = { ...USDC, rate: { fixed: "1" } };
  const tableOf = (rows: unknown, tokens: object) =>
    JSON.stringify({ models: { m: rows, n: OPG_ROW }, tokens });
  const served = new Set(["m", "n"]);

  it("has what an answer costs in each, and rates and limits of their own", () => {
    const tokens = {
      USDC: { ...FIXED, spendLimit: "9" },
      EURC: { ...USDC, address: operator, rate: { ...RATE, staleSeconds: 60 } },
    };
    const rows = [OPG_ROW, IN_USDC, { token: "EURC", amount: "7" }];
    const { models, others } = readPrices(tableOf(rows, tokens), served);
    expect([models.get("m"), models.get("n")]).toEqual([
      ...[5n, 5n].map((amount) => ({ token: "OPG", amount })),
    ]);
    expect(others).toMatchObject([
      { symbol: "USDC", address, decimals: 6, operator, spend: 9n },
      { symbol: "EURC", spend: undefined },
    ]);
    const [usdc, eurc] = others.map(({ prices }) => prices);
    expect([usdc?.rate, eurc?.rate]).toEqual([
      ...[{ fixed: ONE }, expect.objectContaining({ floor: ONE / 100n, staleSeconds: 60 })],
    ]);
    expect([usdc, eurc].map((prices) => [...(prices?.models ?? [])])).toEqual([
      ...[[["m", { token: "USDC", usd: ONE / 50n }]], [["m", { token: "EURC", amount: 7n }]]],
    ]);
  });

  it("costs a unit at least, however little it is worth", () => {
    const cheap = { usd: 1n, rate: 1_000n * ONE };
    for (const decimals of [0, 6, 18]) expect(unitsFor({ ...cheap, decimals })).toBe(1n);
    expect(unitsFor({ usd: ONE / 50n, rate: ONE, decimals: 6 })).toBe(20_000n);
    // 20000.000001 of them.
    expect(unitsFor({ usd: ONE / 50n + 10n ** 6n, rate: ONE, decimals: 6 })).toBe(20_001n);
  });

  for (const [what, rows, tokens, words] of [
    ["no price in OPG", IN_USDC, { USDC: FIXED }, "models.m: has no price in OPG"],
    ["a token twice", [OPG_ROW, IN_USDC, IN_USDC], { USDC: FIXED }, "models.m: has two prices"],
    ["a token that it has not", [OPG_ROW, IN_USDC], {}, "models.m.token: tokens has no USDC"],
    ["a token without prices", OPG_ROW, { USDC: FIXED }, "tokens.USDC: no model has a price"],
    ["dollars without a rate", [OPG_ROW, IN_USDC], { USDC }, "models.m.usd: needs USDC's rate"],
    ["OPG as another", OPG_ROW, { OPG: FIXED }, "tokens.OPG: is the address book's"],
    ["no list of prices", [], {}, "models.m: "],
    ["a free one that costs", [{ free: true }], {}, "models.m: "],
    ["a rate of nothing", OPG_ROW, { USDC: { ...USDC, rate: { fixed: "0" } } }, "tokens.USDC.rate"],
    ["a rate of two kinds", OPG_ROW, { USDC: { ...USDC, rate: { ...RATE, fixed: "1" } } }, "rate"],
    ["no rate", OPG_ROW, { USDC: { ...USDC, rate: null } }, "tokens.USDC.rate"],
    ["decimals of no token", OPG_ROW, { USDC: { ...FIXED, decimals: 37 } }, "tokens.USDC.decimals"],
    ["no address", OPG_ROW, { USDC: { ...FIXED, address: "USDC" } }, "tokens.USDC.address"],
    ["a limit of nothing", OPG_ROW, { USDC: { ...FIXED, spendLimit: "0" } }, "spendLimit"],
    ["a field that nobody reads", OPG_ROW, { USDC: { ...FIXED, symbol: "x" } }, "tokens.USDC"],
    [
      "more than its offers have room for",
      OPG_ROW,
      Object.fromEntries(["A", "B", "C", "D", "E"].map((symbol) => [symbol, FIXED])),
      "tokens: must be 4 at most",
    ],
    [
      "two of one address",
      [OPG_ROW, IN_USDC, { token: "USDX", amount: "1" }],
      { USDC: FIXED, USDX: { ...FIXED, address: address.toUpperCase().replace("X", "x") } },
      "tokens.USDX.address: is another token's, too",
    ],
  ] as const) {
    it(`is refused with ${what}, by the place`, () => {
      expect(() => readPrices(tableOf(rows, tokens), served)).toThrow(words);
    });
  }
});

describe("the rate", () => {
  const sourceOf = async (answer: object, changes: object = {}, clock?: () => number) => {
    const server = await HttpServer.start(answering(answer));
    onTestFinished(() => server.stop());
    const bounds = { floor: ONE / 100n, ceiling: ONE, stepBps: 1_000, staleSeconds: 1_000 };
    const settings = { ...bounds, url: server.url, ...changes };
    const logger = pino({ level: "silent" });
    return { server, source: new RateSource({ settings, logger, ...(clock && { clock }) }) };
  };
  const now = () => Math.floor(Date.now() / 1_000);
  const stale = { status: 503, code: "payment.rateStale" };

  it("makes of dollars what they are worth, rounded up", async () => {
    const { source } = await sourceOf({ usd: "0.3", at: now() });
    const { usd } = await source.now();
    expect(unitsFor({ usd: ONE, rate: usd, decimals: 18 })).toBe((10n * ONE + 2n) / 3n);
  });

  for (const [what, usd] of [
    ["below the floor", "0.009"],
    ["above the ceiling", "1.1"],
    ["no number", "much"],
  ] as const) {
    it(`is not believed where it is ${what}, and there is no price then`, async () => {
      const { source } = await sourceOf({ usd, at: now() });
      await expect(source.now()).rejects.toMatchObject(stale);
    });
  }

  it("is not believed where it is old, or from the future", async () => {
    for (const at of [now() - 1_001, now() + 100]) {
      const { source } = await sourceOf({ usd: "0.5", at });
      await expect(source.now()).rejects.toMatchObject(stale);
    }
  });

  it("is the one before where the next is too far from it, until that is stale", async () => {
    let time = 1_000_000;
    const { server, source } = await sourceOf({ usd: "0.5", at: time }, {}, () => time);
    expect((await source.now()).usd).toBe(ONE / 2n);
    for (const [usd, seen] of [
      ["0.56", "0.5"],
      ["0.55", "0.55"],
    ] as const) {
      time += 500;
      server.handler = answering({ usd, at: time });
      expect((await source.now()).usd).toBe(parseEther(seen));
    }
    server.handler = answering({ usd: "1", at: time });
    time += 1_001;
    await expect(source.now()).rejects.toMatchObject(stale);
  });
});
