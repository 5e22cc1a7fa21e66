import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { ANSWER, answering, DONE, ends, says, streaming } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import {
  ESCROW,
  FORGED_NONCE,
  forgedBy,
  PaidBed,
  Payer,
  PRICE,
  paidBy,
  QUESTION,
  refusalIn,
  TRANSACTION,
} from "./support/paidBed.ts";

const FAILED = answering({ error: { message: "no" } }, 500);

describe("a request that costs something", () => {
  it("is offered both routes, in one flow, under one quote, and with nothing of the prompt", async () => {
    const bed = await PaidBed.start();
    const response = await bed.post();
    expect([response.status, response.headers.get("cache-control")]).toEqual([402, "no-store"]);
    const header = response.headers.get("payment-required") ?? "";
    const { accepts } = JSON.parse(Buffer.from(header, "base64").toString());
    expect(accepts).toEqual([
      expect.objectContaining({ scheme: "upto", payTo: ESCROW, amount: String(PRICE) }),
      expect.objectContaining({ scheme: "exact", amount: String(PRICE) }),
    ]);
    for (const { extra } of accepts) {
      expect(extra.paymentFlow).toBe("upfront");
      expect(extra.haca.expiresAt).toBeLessThanOrEqual(Date.now() / 1_000 + 60);
    }
    expect(accepts[0].extra.haca).toEqual(accepts[1].extra.haca);
    expect(JSON.stringify(accepts)).not.toContain("hello");
    expect(await refusalIn(response)).toEqual([402, "payment.required"]);
    expect(bed.upstream.received).toEqual([]);
  });

  for (const [scheme, isHeld] of [
    ["upto", true],
    ["exact", false],
  ] as const) {
    it(`is answered for a stock client that pays by ${scheme}, and its result names who paid what`, async () => {
      const bed = await PaidBed.start();
      const payer = new Payer(scheme);
      const response = await bed.post(QUESTION, {}, payer);
      expect(response.status).toBe(200);
      expect(paidBy(response)).toMatchObject({ success: true, transaction: TRANSACTION });
      const [result] = bed.results;
      expect(result?.message).toMatchObject({ requester: payer.address, price: String(PRICE) });
      expect(result?.payment).toEqual(
        isHeld ? expect.objectContaining({ payer: payer.address }) : undefined,
      );
      expect(bed.settled).toHaveLength(1);
    });
  }

  it("costs what it used where tokens have a price, and the most where a stream does not say", async () => {
    const price = { amount: PRICE, perToken: { input: 100n, output: 1_000n } };
    const prices = { models: new Map([["m", price]]), rate: undefined };
    const bed = await PaidBed.start({ prices, routes: ["escrow"] });
    const payer = new Payer();
    await bed.post(QUESTION, {}, payer);
    bed.upstream.handler = streaming(says("Hello"), ends(), DONE);
    await (await bed.post({ ...QUESTION, stream: true }, {}, payer)).text();
    expect(bed.results.map(({ message }) => message.price)).toEqual(["2100", String(PRICE)]);
    expect(bed.settled.map(({ paymentRequirements }) => paymentRequirements.amount)).toEqual([
      ...[String(PRICE), String(PRICE)],
    ]);
  });

  it("streams once it is paid", async () => {
    const bed = await PaidBed.start();
    bed.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const response = await bed.post({ ...QUESTION, stream: true }, {}, new Payer());
    expect(paidBy(response)).toMatchObject({ success: true });
    expect(await response.text()).toContain(`"price":"${PRICE}"`);
  });

  it("keeps the salt that hides the prompt from the facilitator", async () => {
    const bed = await PaidBed.start();
    const response = await bed.post(QUESTION, {}, new Payer());
    const salt = response.headers.get("haca-salt") ?? "none";
    expect(bed.facilitator.received.map(({ body }) => body).join()).not.toContain(salt.slice(2));
  });
});

describe("known attacks", () => {
  it("payments in a payer's name that are never decided use up nothing that the payer may spend", async () => {
    const bed = await PaidBed.start({ limits: { spend: PRICE, failures: 20 } });
    const [thief, payer] = [new Payer(), new Payer()];
    bed.settles = { success: false, errorReason: "insufficient_funds" };
    await bed.post(QUESTION, {}, { paying: thief.paying });
    // As of a nonce of the payer's that the facilitator has seen with something else.
    bed.settles = { success: false, errorReason: "duplicate_settlement" };
    const forged = await bed.post(QUESTION, forgedBy(thief, payer));
    expect(await refusalIn(forged)).toEqual([503, "payment.pending"]);
    bed.settles = { success: true, transaction: TRANSACTION };
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(200);
    expect(await refusalIn(await bed.post({ ...QUESTION, n: 1 }, {}, payer))).toEqual([
      403,
      "payment.spendLimit",
    ]);
  });

  it("one payment for many requests: is for the request that was quoted alone", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    await bed.post(QUESTION, {}, payer);
    const other = await bed.post({ ...QUESTION, n: 1 }, payer.last);
    expect(await refusalIn(other)).toEqual([402, "payment.otherRequest"]);
    expect([bed.upstream.received.length, bed.settled.length]).toEqual([1, 1]);
  });

  it("an authorisation that somebody else brings first: the payer is served all the same", async () => {
    const bed = await PaidBed.start();
    const errorReason = "duplicate_settlement";
    bed.settles = { success: false, errorReason, transaction: TRANSACTION };
    const response = await bed.post(QUESTION, {}, new Payer("exact"));
    expect([response.status, paidBy(response).transaction]).toEqual([200, TRANSACTION]);
  });

  it("a payment that reverts: nothing is asked of the upstream, and the same payment may come again", async () => {
    const bed = await PaidBed.start();
    const settled = bed.settles;
    bed.settles = { success: false, errorReason: "invalid_upto_evm_transaction_failed" };
    const payer = new Payer();
    const refused = await bed.post(QUESTION, {}, payer);
    expect(await refusalIn(refused)).toEqual([402, "payment.refused"]);
    expect(bed.upstream.received).toEqual([]);
    bed.settles = settled;
    expect((await bed.post(QUESTION, payer.last)).status).toBe(200);
  });

  it("a payment for another path: is refused, though the body is the same", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    bed.settles = { success: false, errorReason: "permit2_insufficient_balance" };
    await bed.post(QUESTION, {}, { ...payer, paying: payer.paying, path: "completions" });
    const other = await bed.post(QUESTION, payer.last);
    expect(await refusalIn(other)).toEqual([402, "payment.otherRequest"]);
  });

  it("three requests with one payment: one is settled and answered, and all get that answer", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    bed.settles = { success: false, errorReason: "permit2_insufficient_balance" };
    await bed.post(QUESTION, {}, payer);
    bed.settles = { success: true, transaction: TRANSACTION };
    const before = bed.settled.length;
    const three = await Promise.all([1, 2, 3].map(() => bed.post(QUESTION, payer.last)));
    const texts = await Promise.all(three.map((response) => response.text()));
    expect(three.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(texts).size).toBe(1);
    expect([bed.settled.length - before, bed.upstream.received.length]).toEqual([1, 1]);
  });

  it("an allowance for one payment and two requests: the one that is not covered has no answer", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    await bed.post(QUESTION, {}, payer);
    bed.settles = { success: false, errorReason: "permit2_allowance_required" };
    const second = await bed.post({ ...QUESTION, n: 1 }, {}, payer);
    expect(await refusalIn(second)).toEqual([402, "payment.refused"]);
    expect(bed.upstream.received).toHaveLength(1);
  });

  it("a settlement that does not come: no answer without it, and the payment can come again", async () => {
    const bed = await PaidBed.start({ settleMs: 10 });
    bed.settles = { success: false, errorReason: "settlement_pending", transaction: TRANSACTION };
    const payer = new Payer();
    expect(await refusalIn(await bed.post(QUESTION, {}, payer))).toEqual([503, "payment.pending"]);
    expect(bed.upstream.received).toEqual([]);
    bed.settles = { success: true, transaction: TRANSACTION };
    expect((await bed.post(QUESTION, payer.last)).status).toBe(200);
  });

  it("answers from a cache: none is to be kept on the way, and none is shown without its payment", async () => {
    const bed = await PaidBed.start();
    const headers = { "idempotency-key": "key" };
    const response = await bed.post(QUESTION, headers, new Payer());
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect((await bed.post(QUESTION, headers)).status).toBe(402);
  });

  it("another receiver, amount or quote than ours: is not brought to the chain", async () => {
    const bed = await PaidBed.start();
    const changes = [
      { payTo: `0x${"99".repeat(20)}` },
      { amount: "1" },
      { extra: { facilitatorAddress: `0x${"99".repeat(20)}` } },
      { extra: { haca: { amount: "1" } } },
    ];
    for (const change of changes) {
      const payer = new Payer("upto", (_version, [first]) => {
        const wanted = first as { extra: Record<string, object> } & typeof first;
        const { extra = {}, ...rest } = change as { extra?: Record<string, object | string> };
        const haca = { ...wanted.extra.haca, ...((extra.haca as object) ?? {}) };
        return { ...wanted, ...rest, extra: { ...wanted.extra, ...extra, haca } } as never;
      });
      const [status, code] = await refusalIn(await bed.post(QUESTION, {}, payer));
      expect([status, /doesNotFit|quoteUnknown/.test(code)]).toEqual([402, true]);
    }
    expect(bed.settled).toEqual([]);
  });
});

describe("after the money was taken", () => {
  it("the same payment has the same answer, also of another process, and is settled once", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    const first = await (await bed.post(QUESTION, {}, payer)).text();
    await bed.restart();
    const again = await bed.post(QUESTION, payer.last);
    expect([await again.text(), paidBy(again).transaction]).toEqual([first, TRANSACTION]);
    expect([bed.settled.length, bed.upstream.received.length]).toEqual([1, 1]);
  });

  it("a client that pays again for the same gets the answer that is being made, and keeps the second payment", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    const asked = new Deferred();
    const finish = new Deferred();
    bed.upstream.handler = async (response, request) => {
      asked.resolve();
      await finish.promise;
      await answering(ANSWER)(response, request);
    };
    const first = bed.post(QUESTION, {}, payer);
    await asked.promise;
    const second = bed.post(QUESTION, {}, payer);
    finish.resolve();
    expect(await (await second).text()).toBe(await (await first).text());
    expect([payer.payments.length, bed.settled.length]).toEqual([2, 1]);
  });

  it("nobody gets a payer's answer by saying that they are the payer", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    await bed.post(QUESTION, {}, payer);
    const thief = new Payer();
    bed.settles = { success: false, errorReason: "invalid_upto_evm_transaction_failed" };
    await bed.post(QUESTION, {}, thief);
    const response = await bed.post(QUESTION, forgedBy(thief, payer));
    expect(await refusalIn(response)).toEqual([402, "payment.refused"]);
  });

  it("a failure is none that clients answer with another payment, and the worker gives it back", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer();
    bed.upstream.handler = FAILED;
    const told = new Deferred();
    bed.worker.handler = (response, { path }) => {
      response.writeHead(202).end("{}");
      if (path === "/v1/payments/cancelled") told.resolve();
    };
    const response = await bed.post(QUESTION, {}, payer);
    expect(response.status).toBe(406);
    await told.promise;
    expect(bed.cancelled).toMatchObject([{ payer: payer.address }]);
    expect(await refusalIn(await bed.post(QUESTION, payer.last))).toEqual([
      402,
      "payment.cancelled",
    ]);
    expect(bed.settled).toHaveLength(1);
  });

  it("a failure of what was paid at once is made up for under the same payment", async () => {
    const bed = await PaidBed.start();
    const payer = new Payer("exact");
    bed.upstream.handler = FAILED;
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
    bed.upstream.handler = answering(ANSWER);
    expect((await bed.post(QUESTION, payer.last)).status).toBe(200);
    expect([bed.settled.length, bed.cancelled.length]).toEqual([1, 0]);
  });

  it.each(["upto", "exact"] as const)(
    "LangChain's client, which asks again for what others do not, pays once by %s where there is no answer",
    async (scheme) => {
      const bed = await PaidBed.start();
      const payer = new Payer(scheme);
      bed.upstream.handler = FAILED;
      const model = new ChatOpenAI({
        ...{ model: "m", apiKey: "client-key", maxRetries: 1 },
        configuration: { baseURL: `${bed.gateway.url}/v1`, fetch: payer.paying },
      });
      await expect(model.invoke("hello")).rejects.toMatchObject({ status: 406 });
      expect([bed.settled.length, payer.payments.length]).toEqual([1, 1]);
    },
  );

  it("what nobody comes back for is given back by the next process", async () => {
    const bed = await PaidBed.start({ settleMs: 10, retryMs: 0 });
    bed.settles = { success: false, errorReason: "settlement_pending", transaction: "" };
    const payer = new Payer();
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(503);
    const told = new Deferred();
    bed.worker.handler = (response) => {
      response.writeHead(202).end("{}");
      told.resolve();
    };
    await bed.restart();
    await told.promise;
    expect(bed.cancelled).toMatchObject([{ payer: payer.address }]);
  });
});

it("a stranger's payment in a payer's name for the same request does not stand in the payer's way", async () => {
  const bed = await PaidBed.start();
  const payer = new Payer();
  bed.settles = { success: false, errorReason: "invalid_upto_evm_transaction_failed" };
  const thief = new Payer();
  await bed.post(QUESTION, {}, thief);
  const forged = forgedBy(thief, payer);
  const asked = new Deferred();
  const finish = new Deferred();
  const answer = bed.facilitator.handler;
  bed.facilitator.handler = async (response, request) => {
    const isForged = request.path === "/settle" && request.body.includes(FORGED_NONCE);
    if (isForged) asked.resolve();
    if (isForged) await finish.promise;
    return await answer(response, request);
  };
  const first = bed.post(QUESTION, forged);
  await asked.promise;
  bed.settles = { success: true, transaction: TRANSACTION };
  expect((await bed.post(QUESTION, {}, payer)).status).toBe(200);
  bed.settles = { success: false, errorReason: "invalid_upto_evm_transaction_failed" };
  finish.resolve();
  expect((await first).status).toBe(402);
});

describe("limits of a payer", () => {
  it("are what they pay in a day", async () => {
    const bed = await PaidBed.start({ limits: { spend: PRICE, failures: 20 } });
    const payer = new Payer();
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(200);
    const second = await bed.post({ ...QUESTION, n: 1 }, {}, payer);
    expect(await refusalIn(second)).toEqual([403, "payment.spendLimit"]);
    expect((await bed.post({ ...QUESTION, n: 1 }, {}, new Payer())).status).toBe(200);
  });

  it("are the answers that failed for them", async () => {
    const bed = await PaidBed.start({ limits: { spend: undefined, failures: 1 } });
    const payer = new Payer();
    bed.upstream.handler = FAILED;
    expect((await bed.post(QUESTION, {}, payer)).status).toBe(406);
    const second = await bed.post({ ...QUESTION, n: 1 }, {}, payer);
    expect(await refusalIn(second)).toEqual([403, "payment.tooManyFailures"]);
    expect(bed.settled).toHaveLength(1);
  });
});

it("asks nobody for money while the facilitator is away", async () => {
  const bed = await PaidBed.start();
  bed.facilitator.handler = answering({}, 503);
  expect(await refusalIn(await bed.post())).toEqual([503, "payment.facilitatorAway"]);
});
