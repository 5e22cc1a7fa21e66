import { describe, expect, it } from "vitest";
import { type ChannelRecord, isUsed, movedOn, withRequest } from "../src/channels/channelLedger.ts";
import { ANSWER, answering, DONE, ends, frame, says, streaming } from "./support/bed.ts";
import {
  ChannelBed,
  ChannelPayer,
  changed,
  chargedIn,
  FAILED,
  OTHER_SUM,
  offersIn,
  other,
  reasonIn,
  signedIn,
  TRANSACTION,
} from "./support/channelBed.ts";
import { Deferred } from "./support/deferred.ts";
import { PRICE, QUESTION, refusalIn } from "./support/paidBed.ts";

const STREAM = { ...QUESTION, stream: true };

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const STREAMED = {
  question: STREAM,
  // Its payer goes on from what the head has said.
  total: "7900",
  handler: streaming(says("Hello"), ends(), frame([], { usage }), DONE),
};
const ANSWERED = { total: "5001", question: QUESTION, handler: answering(ANSWER) };

/** What a refusal tells of the channel. */
const told = (response: Response) => {
  const [{ extra } = { extra: {} }] = offersIn(response);
  return extra as { voucherState?: object; channelState?: { chargedCumulativeAmount: string } };
};

/** A voucher of the payer's that is public, with the offer of another request. */
const shown = (payer: ChannelPayer, sum: bigint, offer: Response) => payer.sign(offer, { sum });

describe("a stranger who has vouchers of a channel that answers were charged by, as every claim shows them", () => {
  it("is not told the voucher of a request that failed", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    await bed.post(QUESTION, payer);
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    expect((await bed.post(other, payer)).status).toBe(502);
    bed.paid.upstream.handler = answer;
    const refused = await bed.post(other, await shown(payer, PRICE, await bed.post(other)));
    expect([reasonIn(refused), told(refused).voucherState]).toEqual([
      OTHER_SUM,
      {
        signedMaxClaimable: String(PRICE),
        signature: payer.signed[0]?.voucher.signature.toLowerCase(),
      },
    ]);
    // The voucher of the request that failed is the payer's still.
    expect(chargedIn(await bed.post(other, payer)).slice(0, 2)).toEqual([
      ...[String(PRICE), String(2n * PRICE)],
    ]);
  });

  it("is told of none where none was charged by", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    await bed.post(QUESTION, payer);
    bed.paid.upstream.handler = answer;
    const refused = await bed.post(other, await payer.sign(await bed.post(other), { sum: 1n }));
    expect([await refusalIn(refused), told(refused).voucherState]).toEqual([
      ...[[402, "channel.belowClaimed"], undefined],
    ]);
    expect(chargedIn(await bed.post(QUESTION, payer)).slice(0, 2)).toEqual(["5000", "5000"]);
  });

  it.each([
    ["answer", ANSWERED],
    ["stream", STREAMED],
  ])(
    "has nothing for what an %s has left of its voucher, at another price; its payer goes on",
    async (_, asked) => {
      const perToken = { input: 100n, output: 1_000n };
      const models = new Map([
        ["m", { amount: PRICE, perToken }],
        ["n", { amount: PRICE - 2_100n }],
      ]);
      const bed = await ChannelBed.start({ prices: { models, rate: undefined } });
      const payer = new ChannelPayer(bed);
      const answer = bed.paid.upstream.handler;
      bed.paid.upstream.handler = asked.handler;
      const first = await bed.post(asked.question, payer);
      await first.text();
      bed.paid.upstream.handler = answer;
      await bed.paid.restart();
      const cheap = { ...QUESTION, model: "n" };
      const offer = await bed.post(cheap);
      const stolen = await bed.post(cheap, await shown(payer, PRICE, offer));
      expect(await refusalIn(stolen)).toEqual([402, "channel.usedVoucher"]);
      expect(told(stolen).channelState?.chargedCumulativeAmount).toBe("2101");
      expect(bed.paid.upstream.received).toHaveLength(1);
      expect(chargedIn(await bed.post(cheap, payer)).slice(0, 2)).toEqual(["2900", asked.total]);
      expect(signedIn(payer.payments.at(-1) ?? "").voucher.maxClaimableAmount).toBe(asked.total);
    },
  );
});

describe("a stranger with an old voucher of a channel", () => {
  it("keeps its payer waiting by no deposit: other sums are refused before anything is asked", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    await bed.post(QUESTION, payer);
    const [offer, mine] = [await bed.post(other), await bed.post(other)];
    const [payment = ""] = Object.values((await payer.sign(offer, { sum: PRICE })).headers);
    const { deposit } = payer.signed[0] ?? {};
    const old = changed(payment, (signed) => ({ ...signed, type: "deposit", deposit }));
    const [asked, go] = [new Deferred(), new Deferred()];
    const { handler } = bed.paid.facilitator;
    bed.paid.facilitator.handler = async (response, request) => {
      asked.resolve();
      await go.promise;
      await handler(response, request);
    };
    const stranger = bed.post(other, old);
    const refused = stranger.then(() => asked.resolve());
    await asked.promise;
    const answered = await bed.post(other, await payer.sign(mine, { sum: 2n * PRICE }));
    go.resolve();
    await refused;
    expect([answered.status, (await stranger).status]).toEqual([200, 402]);
    expect(bed.deposits).toBe(1);
  });
});

describe("a deposit", () => {
  /** Has deposits answered so, without a change of the channel. */
  const answersDeposits = (bed: ChannelBed, settled: () => object) => {
    const { handler } = bed.paid.facilitator;
    bed.paid.facilitator.handler = (response, request) =>
      (request.path === "/settle" ? answering(settled()) : handler)(response, request);
  };
  const duplicate = (transaction: string) => ({
    ...{ success: false, errorReason: "duplicate_settlement", transaction },
  });

  it("is brought with nothing beside it that a facilitator could take for another, and not without an authorization", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    bed.paid.settles = { success: false, errorReason: "insufficient_funds" };
    await bed.post(QUESTION, payer);
    const [payment = ""] = payer.payments;
    const more = changed(payment, (signed) => ({
      ...{ ...signed, more: 1, deposit: { ...signed.deposit, more: 1 } },
      voucher: { ...signed.voucher, more: 1 },
    }));
    await bed.post(QUESTION, more);
    const [first, second] = bed.paid.settled.map(({ paymentPayload }) => paymentPayload.payload);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(first).toMatchObject({ deposit: payer.signed[0]?.deposit });
    const authorization = { erc3009Authorization: {} };
    const none = changed(payment, (signed) => ({
      ...{ ...signed, deposit: { ...signed.deposit, authorization } },
    }));
    expect(await refusalIn(await bed.post(QUESTION, none))).toEqual([400, "payment.malformed"]);
  });

  it("by a permit that a stranger has brought is in the channel, and answered for; one that is nowhere is not", async () => {
    const bed = await ChannelBed.start();
    bed.gate = { ...bed.gate, depositMethods: ["eip3009", "permit2"] };
    const refused = { success: false, errorReason: "deposit_simulation_failed" };
    answersDeposits(bed, () => refused);
    const payer = new ChannelPayer(undefined, undefined, "permit2");
    expect(await refusalIn(await bed.post(QUESTION, payer))).toEqual([402, "payment.refused"]);
    const [{ voucher } = {}] = payer.signed;
    bed.change(voucher?.channelId ?? "", { balance: String(PRICE) });
    expect(chargedIn(await bed.post(QUESTION, payer.last))).toEqual(["5000", "5000", ""]);
    // The next voucher is not covered by it.
    const again = changed(payer.payments[0] ?? "", (signed) => signed);
    expect((await bed.post(QUESTION, again)).status).toBe(200);
    expect(bed.paid.upstream.received).toHaveLength(1);
  });

  it("that is being settled for somebody else is not waited for", async () => {
    const bed = await ChannelBed.start();
    bed.paid.settles = duplicate("");
    bed.change = () => undefined;
    const refused = await bed.post(QUESTION, new ChannelPayer());
    expect([await refusalIn(refused), bed.deposits]).toEqual([[503, "payment.pending"], 1]);
  });

  it("whose outcome was cut off is its own, and waited for", async () => {
    const bed = await ChannelBed.start();
    const { handler } = bed.paid.facilitator;
    const outcomes = [undefined, duplicate(""), { success: true, transaction: TRANSACTION }];
    bed.paid.facilitator.handler = (response, request) => {
      if (request.path !== "/settle") return handler(response, request);
      const outcome = outcomes.shift();
      if (outcome === undefined) return void response.destroy();
      bed.paid.settles = outcome;
      return handler(response, request);
    };
    const answered = await bed.post(QUESTION, new ChannelPayer());
    expect([answered.status, bed.deposits]).toEqual([200, 3]);
  });

  it("that was made is waited for until it is seen; one that is used up is none", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    let settled: object = { success: true, transaction: TRANSACTION };
    answersDeposits(bed, () => settled);
    expect(await refusalIn(await bed.post(QUESTION, payer))).toEqual([503, "payment.pending"]);
    const { last } = payer;
    settled = duplicate(TRANSACTION);
    expect(await refusalIn(await bed.post(QUESTION, last))).toEqual([503, "payment.pending"]);
    const [{ voucher } = {}] = payer.signed;
    bed.change(voucher?.channelId ?? "", { balance: String(PRICE) });
    expect(chargedIn(await bed.post(QUESTION, last))).toEqual(["5000", "5000", TRANSACTION]);
    const offer = await bed.post(other);
    const [next = ""] = Object.values((await payer.sign(offer, { sum: 2n * PRICE })).headers);
    const { deposit } = payer.signed[0] ?? {};
    const again = changed(next, (signed) => ({ ...signed, type: "deposit", deposit }));
    expect(await refusalIn(await bed.post(other, again))).toEqual([402, "channel.tooLittle"]);
  });
});

describe("limits of a day", () => {
  const limits = (spend: bigint | undefined, failures: number) => ({ limits: { spend, failures } });
  const by = async (
    bed: ChannelBed,
    payer: ChannelPayer,
    salt: string,
    { account: { address } } = payer,
    question: object = QUESTION,
  ) => {
    const channel = { payer: address, salt: `0x${salt.repeat(32)}` };
    const signed = await payer.sign(await bed.post(question), { sum: PRICE, channel });
    const [payment = ""] = Object.values(signed.headers);
    bed.change(signedIn(payment).voucher.channelId, { balance: String(PRICE) });
    return signed;
  };

  it("are of who signs the vouchers: nobody signs for whom a channel names as payer", async () => {
    const bed = await ChannelBed.start(limits(undefined, 1));
    const [payer, stranger] = [new ChannelPayer(), new ChannelPayer()];
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    expect((await bed.post(QUESTION, await by(bed, stranger, "01", payer))).status).toBe(502);
    bed.paid.upstream.handler = answer;
    expect((await bed.post(QUESTION, await by(bed, payer, "02"))).status).toBe(200);
    expect(await refusalIn(await bed.post(QUESTION, await by(bed, stranger, "03")))).toEqual([
      ...[403, "payment.tooManyFailures"],
    ]);
    expect(bed.paid.upstream.received).toHaveLength(2);
  });

  it("hold for what is being answered, too", async () => {
    const bed = await ChannelBed.start(limits(PRICE, 20));
    const payer = new ChannelPayer();
    const [first, second] = [await by(bed, payer, "01"), await by(bed, payer, "02")];
    const [asked, go] = [new Deferred(), new Deferred()];
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = async (response, request) => {
      asked.resolve();
      await go.promise;
      await answer(response, request);
    };
    const running = bed.post(QUESTION, first);
    await asked.promise;
    const refused = bed.post(QUESTION, second);
    // Were it taken, it would fail there.
    bed.paid.upstream.handler = FAILED;
    expect(await refusalIn(await refused)).toEqual([403, "payment.spendLimit"]);
    go.resolve();
    expect((await running).status).toBe(200);
  });

  it("count a stream once, whose price is noted before it is answered", async () => {
    const bed = await ChannelBed.start(limits(2n * PRICE, 20));
    const payer = new ChannelPayer();
    const [first, second] = [await by(bed, payer, "01", payer, STREAM), await by(bed, payer, "02")];
    const [go, answer] = [new Deferred(), bed.paid.upstream.handler];
    bed.paid.upstream.handler = async (response) => {
      bed.paid.upstream.handler = answer;
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      await go.promise;
      response.end([says("Hello"), ends(), DONE].join(""));
    };
    const running = await bed.post(STREAM, first);
    expect((await bed.post(QUESTION, second)).status).toBe(200);
    go.resolve();
    expect(await running.text()).toContain("Hello");
  });
});

describe("of the vouchers that a channel's answers were charged by", () => {
  const isFailed = false;
  const charge = (record: ChannelRecord, amount: bigint, charged: bigint) =>
    withRequest(record, {
      charged,
      isFailed,
      voucher: { amount: String(amount), signature: "0x" },
    });
  const none: ChannelRecord = {
    ...{
      id: "0x1",
      payer: "0x2",
      charged: "0",
      ahead: "0",
      voucher: null,
      used: [],
      hours: [],
      refund: null,
      lastRefund: 0,
    },
  };

  it("each is known as used while it is above the sum, not the highest alone", () => {
    const two = charge(charge(none, 5_000n, 100n), 3_000n, 50n);
    expect([5_000n, 3_000n, 2_999n, 3_001n, 5_001n].map((sum) => isUsed(two, sum))).toEqual([
      ...[true, true, false, false, false],
    ]);
    expect([two.voucher?.amount, movedOn(two, 3_000n - 150n).charged]).toEqual(["5000", "151"]);
    expect(charge(two, 9_000n, 4_000n).used).toEqual(["5000", "9000"]);
    expect(
      withRequest(none, { charged: 0n, isFailed: true, voucher: { amount: "1", signature: "0x" } }),
    ).toMatchObject({
      ...{ voucher: null, used: [] },
    });
  });

  it("so many are kept, and below these none is taken", () => {
    const sums = Array.from({ length: 257 }, (_, index) => 10n ** 18n + 2n * BigInt(index));
    const many = sums.reduce((record, sum) => charge(record, sum, 1n), none);
    const [left = 0n, lowest = 0n] = sums;
    expect([many.used.length, isUsed(many, left), isUsed(many, 1_000n)]).toEqual([256, true, true]);
    expect(isUsed(many, lowest + 1n)).toBe(false);
    expect(movedOn(many, 1_000n - 257n).charged).toBe(String(257n + lowest + 1n - 1_000n));
  });
});
