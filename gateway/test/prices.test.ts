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
    expect(unitsFor(ONE, usd)).toBe((10n * ONE + 2n) / 3n);
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
