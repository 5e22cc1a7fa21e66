import type { PaymentRequirements } from "@x402/core/types";
import { dataSlice, id } from "ethers";
import { expect, it } from "vitest";
import type { Price } from "../src/payments/prices.ts";
import { ANSWER, answering } from "./support/bed.ts";
import { HttpServer } from "./support/httpServer.ts";
import { operatorOf, Payer, PRICE, paidBy, QUESTION, refusalIn, TOKEN } from "./support/paidBed.ts";
import {
  DOLLARS,
  OPERATOR,
  startInTwoTokens,
  USDC_OPERATOR,
  USDC_TOKEN,
} from "./support/usdcBed.ts";

const ONE = 10n ** 18n;
const SALT = `0x${"5a".repeat(32)}`;
/** Begins salts that are made for other tokens. */
const TAG = "0x4fbbcef7d1c038ff";

type Offer = PaymentRequirements & { extra: { haca: Record<string, string> } };
const offersIn = (response: Response): Offer[] => {
  const header = response.headers.get("payment-required") ?? "";
  return JSON.parse(Buffer.from(header, "base64").toString()).accepts;
};
/** Of the offers of a scheme, those in USDC, or those in OPG. */
const inUsdc = (_: number, offers: readonly { asset: string }[]) =>
  offers.find(({ asset }) => asset === USDC_TOKEN.address) as never;
const payingUsdc = () => new Payer("auth-capture", inUsdc);
const messageIn = async (response: Response) => {
  const { haca } = (await response.json()) as {
    haca: { salt: string; message: { price: string; inputHash: string; requester: string } };
  };
  return { salt: haca.salt, ...haca.message };
};

it("is offered beside OPG, each offer with the quote of its token, and a stock client pays by its own choice", async () => {
  const bed = await startInTwoTokens();
  const offers = offersIn(await bed.post());
  const told = offers.map(({ amount, asset, extra, payTo, scheme }) => [
    ...[scheme, asset, amount, payTo, extra.name, extra.version],
  ]);
  const usdc = [
    "auth-capture",
    USDC_TOKEN.address,
    String(DOLLARS),
    USDC_OPERATOR,
    "USD Coin",
    "2",
  ];
  const opg = ["auth-capture", TOKEN, String(PRICE), OPERATOR, "OPG", "1"];
  expect(told.map(([scheme]) => scheme).slice(0, 2)).toEqual(["upto", "exact"]);
  expect(told.slice(2)).toEqual([opg, opg, usdc]);
  for (const { amount, asset, extra } of offers) {
    expect(extra.haca).toMatchObject({ token: asset, amount });
  }
  const response = await bed.post(QUESTION, {}, payingUsdc());
  expect([response.status, paidBy(response)]).toEqual([
    ...[200, expect.objectContaining({ success: true, amount: String(DOLLARS) })],
  ]);
  expect(bed.settled.map(({ paymentRequirements: { payTo } }) => payTo)).toEqual([USDC_OPERATOR]);
  expect((await messageIn(response)).price).toBe(String(DOLLARS));
  const metrics = await (await fetch(`${bed.gateway.url}/metrics`)).text();
  expect(metrics).toContain(
    `haca_gateway_token_decimals{token="USDC",address="${USDC_TOKEN.address}"} 6`,
  );
  expect(metrics).toContain('haca_gateway_payments_total{route="commerce",token="USDC"} 1');
});

it("has prices by its own tokens' price and by dollars, in its own decimals, rounded up", async () => {
  const models = new Map<string, Price>([
    ["m", { amount: DOLLARS, perToken: { input: 1n, output: 2n } }],
    ["n", { usd: ONE / 50n + 1n }],
  ]);
  const opg = new Map<string, Price>([
    ["m", { amount: PRICE }],
    ["n", { amount: PRICE }],
  ]);
  const bed = await startInTwoTokens({
    prices: { models: opg, rate: undefined },
    usdc: { prices: { models, rate: { fixed: ONE } } },
  });
  const usage = { prompt_tokens: 3, completion_tokens: 2 };
  bed.upstream.handler = answering({ ...ANSWER, usage });
  const answer = await bed.post(QUESTION, {}, payingUsdc());
  expect((await messageIn(answer)).price).toBe("7");
  const [, , , , cents] = offersIn(await bed.post({ ...QUESTION, model: "n" }));
  expect([cents?.asset, cents?.amount, cents?.extra.haca.rate]).toEqual([
    ...[USDC_TOKEN.address, "20001", String(ONE)],
  ]);
});

it("is offered without OPG while the rate of OPG is too old, and OPG without it; without both nobody is asked", async () => {
  const source = await HttpServer.start(answering({ usd: "1", at: 1 }));
  const stale = { url: source.url, floor: 1n, ceiling: ONE, stepBps: 1, staleSeconds: 60 };
  const inDollars = {
    prices: { models: new Map<string, Price>([["m", { usd: ONE }]]), rate: stale },
  };
  const assets = async (changes: Parameters<typeof startInTwoTokens>[0]) => {
    const response = await (await startInTwoTokens(changes)).post();
    if (response.status === 503) return (await refusalIn(response)).join(" ");
    return [...new Set(offersIn(response).map(({ asset }) => asset))].join(" ");
  };
  expect(await assets(inDollars)).toBe(USDC_TOKEN.address);
  expect(await assets({ usdc: inDollars })).toBe(TOKEN);
  expect(await assets({ ...inDollars, usdc: inDollars })).toBe("503 payment.rateStale");
  await source.stop();
});

it("is offered in as many as a table may have, in a header that stock clients take", async () => {
  const others = ["a1", "a2", "a3", "a4"].map((byte) => {
    const token = { ...USDC_TOKEN, symbol: byte, address: `0x${byte.repeat(20)}` };
    const name = `${byte}${"x".repeat(62)}`;
    const models = new Map<string, Price>([["m", { amount: 10n ** 38n }]]);
    const operator = `0x${byte.replace("a", "b").repeat(20)}`;
    const prices = { models, rate: undefined };
    return { token: { ...token, name }, operator, prices, routes: ["commerce"] as const };
  });
  const bed = await startInTwoTokens({
    others: others.map((one) => ({ ...one, spend: undefined })),
  });
  for (const { operator, token } of others) bed.operators.set(operator, operatorOf(token));
  // What has larger headers is not read.
  expect(new Set(offersIn(await bed.post()).map(({ asset }) => asset)).size).toBe(5);
});

it("is not offered where its operator or decimals are others, and OPG is", async () => {
  const bed = await startInTwoTokens();
  bed.operators.set(USDC_OPERATOR, operatorOf({ ...USDC_TOKEN, decimals: 18 }));
  const assets = offersIn(await bed.post()).map(({ asset }) => asset);
  expect(new Set(assets)).toEqual(new Set([TOKEN]));
});

for (const scheme of ["upto", "exact", "auth-capture"] as const) {
  it(`a quote in USDC pays for nothing in OPG by ${scheme}, nor one in OPG in USDC`, async () => {
    const bed = await startInTwoTokens();
    const offers = offersIn(await bed.post());
    const quoteOf = (asset: string) => offers.find((it) => it.asset === asset)?.extra.haca;
    const own = offers.find((it) => it.scheme === scheme) as Offer;
    const cases = [{ ...own, amount: String(DOLLARS), haca: quoteOf(USDC_TOKEN.address) }];
    if (scheme === "auth-capture") {
      const usdc = offers.find((it) => it.asset === USDC_TOKEN.address) as Offer;
      cases.push(
        { ...usdc, haca: quoteOf(TOKEN) },
        { ...usdc, amount: String(PRICE), haca: quoteOf(TOKEN) },
      );
    }
    for (const { haca, ...offer } of cases) {
      // Signed for what the quote is not of, and shown with it.
      const made = { ...offer, extra: { ...offer.extra, haca } };
      const payer = new Payer(scheme, () => made as never);
      const response = await bed.post(QUESTION, {}, payer);
      expect(await refusalIn(response)).toEqual([402, "payment.doesNotFit"]);
    }
    expect([bed.settled, bed.upstream.received]).toEqual([[], []]);
  });
}

it("paid in both for the same request, as a client does by itself, is charged once", async () => {
  for (const headers of [{}, { "haca-salt": SALT }] as Record<string, string>[]) {
    const bed = await startInTwoTokens();
    const payer = payingUsdc();
    const first = await bed.post(QUESTION, headers, payer);
    const again = new Payer("upto", (_, [offer]) => offer as never, payer.account);
    const second = await bed.post(QUESTION, headers, again);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await second.text()).toBe(await first.text());
    expect([bed.settled.length, bed.upstream.received.length]).toEqual([1, 1]);
  }
});

it("paid in both under one name, by two processes, has one answer, and is charged once", async () => {
  const cases: [Record<string, string>, boolean][] = [
    [{}, true],
    [{ "haca-salt": SALT }, true],
    [{ "haca-salt": SALT }, false],
  ];
  for (const [headers, isUsdcFirst] of cases) {
    const usdc = payingUsdc();
    const opg = new Payer("upto", (_, [offer]) => offer as never, usdc.account);
    for (const payer of [usdc, opg]) payer.name = "one-name-for-both";
    const [first, later] = isUsdcFirst ? [usdc, opg] : [opg, usdc];
    const bed = await startInTwoTokens();
    const answer = await (await bed.post(QUESTION, headers, first)).text();
    await bed.restart();
    const again = await bed.post(QUESTION, headers, later);
    expect([again.status, await again.text()]).toEqual([200, answer]);
    const other = await bed.post({ ...QUESTION, n: 1 }, headers, later);
    expect(await refusalIn(other)).toEqual([400, "payment.otherUnderIdentifier"]);
    expect([bed.settled.length, bed.upstream.received.length]).toEqual([1, 1]);
  }
});

it("never has a hash of a request that is paid in OPG, whatever salt its client gives", async () => {
  const bed = await startInTwoTokens({ retryMs: 0 });
  const hashOf = async (payer: Payer, headers: Record<string, string>) => {
    const { inputHash, salt } = await messageIn(await bed.post(QUESTION, headers, payer));
    return { inputHash, salt };
  };
  const salted = { "haca-salt": SALT };
  const text = "haca: salt of a request that is paid in another token";
  expect(dataSlice(id(text), 0, 8)).toBe(TAG);
  const usdc = await hashOf(payingUsdc(), salted);
  expect(usdc.salt).toMatch(new RegExp(`^${TAG}`));
  expect(await hashOf(payingUsdc(), salted)).toEqual(usdc);
  const opg = await hashOf(new Payer(), salted);
  expect([opg.salt, opg.inputHash === usdc.inputHash]).toEqual([SALT, false]);
  // The salt that was made, as one of the client's own: in OPG it would have the other's price.
  for (const payer of [undefined, new Payer(), payingUsdc()]) {
    const response = await bed.post(QUESTION, { "haca-salt": usdc.salt }, payer ?? {});
    expect(await refusalIn(response)).toEqual([400, "salt.reserved"]);
  }
  const free = await hashOf(payingUsdc(), {});
  expect(free.salt).toMatch(new RegExp(`^${TAG}`));
});

it("takes a part of the limit that OPG takes another of", async () => {
  const half = { limits: { spend: 2n * PRICE, failures: 20 }, usdc: { spend: 2n * DOLLARS } };
  const bed = await startInTwoTokens(half);
  const payer = payingUsdc();
  const opg = new Payer("upto", (_, [offer]) => offer as never, payer.account);
  const ask = (n: number, by: Payer) => bed.post({ ...QUESTION, n }, {}, by);
  expect([(await ask(1, payer)).status, (await ask(2, opg)).status]).toEqual([200, 200]);
  for (const by of [payer, opg]) {
    expect(await refusalIn(await ask(3, by))).toEqual([403, "payment.spendLimit"]);
  }
});
