import { readFileSync } from "node:fs";
import { join } from "node:path";
import { channelAccount } from "@haca/protocol/pageOpening";
import { describe, expect, it } from "vitest";
import { DONE, ends, frame, says, streaming } from "./support/bed.ts";
import {
  ChannelBed,
  ChannelPayer,
  changed,
  chargedIn,
  FAILED,
  GATE,
  OTHER_SUM,
  offersIn,
  other,
  reasonIn,
  type Signed,
  signedIn,
  TRANSACTION,
} from "./support/channelBed.ts";
import { Deferred } from "./support/deferred.ts";
import { PRICE, QUESTION, refusalIn } from "./support/paidBed.ts";

/** Of which an answer of one token asked and two answered costs 2,100. */
const PER_TOKEN = {
  models: new Map([["m", { amount: PRICE, perToken: { input: 100n, output: 1_000n } }]]),
  rate: undefined,
};
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const STREAMED = streaming(says("Hello"), ends(), frame([], { usage }), DONE);
const WORD = `0x${"99".repeat(32)}`;
const STRANGER = `0x${"99".repeat(20)}`;

describe("a channel is offered", () => {
  it("on a path of its own, alone, with all that its terms have to be", async () => {
    const bed = await ChannelBed.start();
    const response = await bed.post(QUESTION);
    expect([response.status, response.headers.get("cache-control")]).toEqual([402, "no-store"]);
    expect(offersIn(response)).toEqual([
      expect.objectContaining({
        ...{ scheme: "batch-settlement", payTo: GATE, amount: String(PRICE) },
        extra: expect.objectContaining({ receiverAuthorizer: GATE, withdrawDelay: 518_400 }),
      }),
    ]);
    const elsewhere = await bed.paid.post();
    expect(offersIn(elsewhere).map(({ scheme }) => scheme)).toEqual(["upto"]);
  });

  it("with deposits by Permit2 besides, where the facilitator brings them, and never of both forms", async () => {
    const bed = await ChannelBed.start();
    bed.gate = { ...bed.gate, depositMethods: ["permit2", "eip3009"] };
    const offers = offersIn(await bed.post(QUESTION));
    expect(offers.map(({ extra }) => extra.assetTransferMethod)).toEqual(["eip3009", "permit2"]);
    const payer = new ChannelPayer(undefined, undefined, "permit2");
    expect(chargedIn(await bed.post(QUESTION, payer))).toEqual(["5000", "5000", TRANSACTION]);
    const brought = bed.paid.settled.map(({ paymentPayload }) => paymentPayload.payload as Signed);
    const texts = [brought[0], payer.signed[0]].map((of) => JSON.stringify(of?.deposit));
    expect(JSON.parse((texts[0] ?? "").toLowerCase())).toEqual(
      JSON.parse((texts[1] ?? "").toLowerCase()),
    );
    const [payment = ""] = payer.payments;
    const both = changed(payment, (signed) => {
      const { amount = "", authorization } = signed.deposit ?? {};
      const erc3009Authorization = {
        ...{ validAfter: "0", validBefore: "1", salt: WORD, signature: "0x00" },
      };
      return {
        ...signed,
        deposit: { amount, authorization: { ...authorization, erc3009Authorization } },
      };
    });
    expect(await refusalIn(await bed.post(QUESTION, both))).toEqual([400, "payment.malformed"]);
  });

  it("to nobody where what it pays could not be claimed", async () => {
    const bed = await ChannelBed.start();
    bed.gate = { ...bed.gate, node: STRANGER };
    expect(await refusalIn(await bed.post(QUESTION))).toEqual([503, "payment.notTaken"]);
  });

  it("at no path where the settings name no gate", async () => {
    const bed = await ChannelBed.start({ channel: undefined });
    expect(await refusalIn(await bed.post(QUESTION))).toEqual([404, "path.unknown"]);
  });
});

describe("a client that pays by channel", () => {
  it("deposits once, and is told what each answer has cost, by the most or by what it used", async () => {
    const bed = await ChannelBed.start({ prices: PER_TOKEN });
    const payer = new ChannelPayer();
    const first = await bed.post(QUESTION, payer);
    expect(chargedIn(first)).toEqual(["2100", "2100", TRANSACTION]);
    bed.paid.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const second = await bed.post({ ...QUESTION, stream: true }, payer);
    expect(await second.text()).toContain(`"price":"${PRICE}"`);
    // A stream's head comes before there is an answer; of this one nothing says what it has used.
    expect(chargedIn(second)).toEqual(["5000", "7100", ""]);
    expect(payer.signed.map(({ type, voucher }) => [type, voucher.maxClaimableAmount])).toEqual([
      ["deposit", "5000"],
      ["voucher", "7100"],
    ]);
    expect(bed.deposits).toBe(1);
    const [{ voucher } = {}] = payer.signed;
    expect(bed.paid.results.map(({ message }) => [message.requester, message.price])).toEqual([
      [channelAccount(voucher?.channelId ?? ""), "2100"],
      [channelAccount(voucher?.channelId ?? ""), "5000"],
    ]);
    expect(bed.paid.results.map((result) => result.voucher?.maxClaimableAmount)).toEqual([
      ...["5000", "7100"],
    ]);
    expect(bed.paid.results[0]?.payment).toBeUndefined();
  });

  it("that repeats its voucher has the same answer for the same question, and none for another", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    const first = await bed.post(QUESTION, payer);
    const again = await bed.post(QUESTION, payer.last);
    expect([await again.text(), chargedIn(again).slice(0, 2)]).toEqual([
      await first.text(),
      chargedIn(first).slice(0, 2),
    ]);
    // Its quote is for the other question, too.
    const offer = await bed.post(other);
    const replayed = await bed.post(other, await payer.sign(offer, { sum: PRICE }));
    expect([reasonIn(replayed), await refusalIn(replayed)]).toEqual([
      OTHER_SUM,
      [402, "channel.otherSum"],
    ]);
    expect(bed.paid.upstream.received).toHaveLength(1);
  });

  it("that has forgotten what it signed hears it, and goes on; so does the next process", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer(bed);
    await bed.post(QUESTION, payer);
    await bed.paid.restart();
    const offer = await bed.post(other);
    const [lower, higher] = [1n, 4n * PRICE].map((sum) => payer.sign(offer, { sum }));
    for (const signed of [await lower, await higher]) {
      const refused = await bed.post(other, signed as { headers: Record<string, string> });
      const [{ extra } = { extra: {} }] = offersIn(refused);
      expect([reasonIn(refused), extra]).toEqual([
        OTHER_SUM,
        expect.objectContaining({
          channelState: expect.objectContaining({ chargedCumulativeAmount: String(PRICE) }),
          voucherState: {
            signedMaxClaimable: String(PRICE),
            signature: payer.signed[0]?.voucher.signature.toLowerCase(),
          },
        }),
      ]);
    }
    expect(bed.paid.upstream.received).toHaveLength(1);
    expect(chargedIn(await bed.post(other, payer)).slice(0, 2)).toEqual([
      ...[String(PRICE), String(2n * PRICE)],
    ]);
  });

  it("pays nothing for what fails, and is told of its deposit all the same", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    const failed = await bed.post(QUESTION, payer);
    expect([failed.status, chargedIn(failed)]).toEqual([502, ["0", "0", TRANSACTION]]);
    bed.paid.upstream.handler = answer;
    expect(chargedIn(await bed.post(QUESTION, payer))).toEqual(["5000", "5000", ""]);
    expect([bed.deposits, bed.paid.results.length]).toEqual([1, 1]);
  });

  it("pays for a stream what it has used, goes on from what its head said, and hears what was charged when it asks", async () => {
    const bed = await ChannelBed.start({ prices: PER_TOKEN });
    const payer = new ChannelPayer();
    bed.paid.upstream.handler = STREAMED;
    const texts: string[] = [];
    for (let asked = 0; asked < 2; asked += 1) {
      const response = await bed.post({ ...QUESTION, stream: true }, payer);
      texts.push(await response.text());
      expect(chargedIn(response).slice(0, 2)).toEqual(["5000", String(5_000 * (asked + 1))]);
    }
    expect(texts.every((text) => text.includes('"price":"2100"'))).toBe(true);
    expect(bed.paid.results.map(({ message }) => message.price)).toEqual(["2100", "2100"]);
    // Another process of the same payer, which has the chain's word and the gateway's.
    await bed.paid.restart();
    const fresh = new ChannelPayer(bed, payer);
    const last = await bed.post({ ...other, stream: true }, fresh);
    expect(chargedIn(last).slice(0, 2)).toEqual(["5000", "9200"]);
    expect(signedIn(fresh.payments.at(-1) ?? "").voucher.maxClaimableAmount).toBe("9200");
    expect(await last.text()).toContain('"price":"2100"');
    const next = await bed.post({ ...other, n: 2, stream: true }, fresh);
    expect([chargedIn(next).slice(0, 2), fresh.payments.length]).toEqual([["5000", "14200"], 3]);
    await next.text();
    // Who goes on from what the head said before that is told where the channel is now.
    const late = await bed.post(other, payer);
    expect([reasonIn(late), await refusalIn(late)]).toEqual([OTHER_SUM, [402, "channel.otherSum"]]);
    expect(bed.deposits).toBe(1);
  });

  it("counts in a day what its streams have used, and not the most", async () => {
    const bed = await ChannelBed.start({
      ...{ prices: PER_TOKEN, limits: { spend: 2n * PRICE, failures: 20 } },
    });
    const payer = new ChannelPayer();
    bed.paid.upstream.handler = STREAMED;
    for (const n of [1, 2]) {
      const response = await bed.post({ ...QUESTION, n, stream: true }, payer);
      expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
    }
    // 4,200 are charged.
    const above = await bed.post({ ...QUESTION, n: 3, stream: true }, payer);
    expect([above.status, await above.text()]).toEqual([200, expect.anything()]);
    expect(await refusalIn(await bed.post({ ...QUESTION, n: 4 }, payer))).toEqual([
      ...[403, "payment.spendLimit"],
    ]);
  });

  it("of whose stream nothing comes after its head goes on from what that said, and owes nothing for it", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    bed.paid.upstream.handler = streaming(says("Hel"));
    const cut = await bed.post({ ...QUESTION, stream: true }, payer);
    expect(await cut.text()).toContain('"error"');
    const lower = await bed.post(other, await payer.sign(await bed.post(other), { sum: 1n }));
    expect(offersIn(lower)[0]?.extra.channelState).toMatchObject({ chargedCumulativeAmount: "1" });
    bed.paid.upstream.handler = streaming(says("Hello"), ends(), DONE);
    const next = await bed.post({ ...QUESTION, stream: true }, payer);
    expect([next.status, chargedIn(next)]).toEqual([200, ["5000", "10000", ""]]);
    await next.text();
    expect(bed.paid.results).toHaveLength(1);
  });

  it("has one request at a time: of two at once one is answered, and the other told to wait", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    await bed.post(QUESTION, payer);
    const offers = await Promise.all([bed.post(other), bed.post({ ...other, n: 2 })]);
    const signed = await Promise.all(offers.map((it) => payer.sign(it, { sum: 2n * PRICE })));
    const [asked, go] = [new Deferred(), new Deferred()];
    const answer = bed.paid.upstream.handler;
    bed.paid.upstream.handler = async (response, request) => {
      asked.resolve();
      await go.promise;
      await answer(response, request);
    };
    const first = bed.post(other, signed[0]);
    await asked.promise;
    const second = await bed.post({ ...other, n: 2 }, signed[1]);
    expect([await refusalIn(second), second.headers.get("retry-after")]).toEqual([
      [409, "channel.busy"],
      "1",
    ]);
    go.resolve();
    expect(chargedIn(await first)).toEqual(["5000", "10000", ""]);
    // The voucher that waited is for a sum that is used up.
    const late = await bed.post({ ...other, n: 2 }, signed[1]);
    expect(await refusalIn(late)).toEqual([402, "channel.otherSum"]);
    expect(bed.paid.upstream.received).toHaveLength(2);
  });

  it("is charged once where the worker is away between the note and the answer, and the process as well", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    bed.paid.queueMs = 50;
    await bed.paid.restart();
    const { worker } = bed.paid;
    const taking = worker.handler;
    worker.handler = (response) => void response.writeHead(503).end();
    const away = await bed.post(QUESTION, payer);
    expect([away.status, chargedIn(away)]).toEqual([503, ["0", "0", TRANSACTION]]);
    // Noted before anybody could have seen the answer.
    const journal = readFileSync(join(bed.paid.folder, "channels.journal"), "utf8");
    expect(journal).toContain(`"charged":"${PRICE}"`);
    worker.handler = taking;
    // As long as a worker that is well may need on a busy machine.
    bed.paid.queueMs = 5_000;
    await bed.paid.restart();
    const again = await bed.post(QUESTION, payer);
    expect([again.status, chargedIn(again)]).toEqual([200, ["5000", "5000", ""]]);
    expect(chargedIn(await bed.post(other, payer))).toEqual(["5000", "10000", ""]);
    const handedIn = bed.paid.results.map(({ message, voucher }) => [
      ...[message.requestId, voucher?.maxClaimableAmount],
    ]);
    expect(new Set(handedIn.map(String)).size).toBe(2);
    expect(handedIn[0]?.[1]).toBe(String(PRICE));
    expect([bed.paid.upstream.received.length, bed.deposits]).toEqual([2, 1]);
  });
});

/** A signature that ends in 0 or 1 in place of 27 or 28. */
const withParity = (signature: string): string =>
  `${signature.slice(0, -2)}0${signature.endsWith("1b") ? 0 : 1}`;

describe("refused are", () => {
  it("vouchers of other channels, keys, receivers, authorizers, tokens and delays, each by its name", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    const offer = await bed.post(QUESTION);
    const sum = PRICE;
    const cases = [
      ["channel.otherReceiver", { sum, channel: { receiver: STRANGER } }],
      ["channel.otherAuthorizer", { sum, channel: { receiverAuthorizer: STRANGER } }],
      ["channel.otherToken", { sum, channel: { token: STRANGER } }],
      ["channel.otherDelay", { sum, channel: { withdrawDelay: 900 as unknown as bigint } }],
      ["channel.noKey", { sum, channel: { payerAuthorizer: `0x${"00".repeat(20)}` } }],
      ["channel.notSigned", { sum, by: new ChannelPayer() }],
    ] as const;
    for (const [code, change] of cases) {
      const refused = await bed.post(QUESTION, await payer.sign(offer, change));
      expect(await refusalIn(refused)).toEqual([402, code]);
    }
    const [payment = ""] = Object.values((await payer.sign(offer, { sum })).headers);
    // The same signature in a form from which contracts recover nobody.
    const formed = changed(payment, (signed) => ({
      ...signed,
      voucher: { ...signed.voucher, signature: withParity(signed.voucher.signature) },
    }));
    expect(await refusalIn(await bed.post(QUESTION, formed))).toEqual([402, "channel.notSigned"]);
    const claimed = changed(payment, (signed) => ({
      ...signed,
      voucher: { ...signed.voucher, channelId: WORD },
    }));
    expect(await refusalIn(await bed.post(QUESTION, claimed))).toEqual([402, "channel.otherId"]);
    const refund = changed(payment, (signed) => ({ ...signed, type: "refund" }));
    expect(await refusalIn(await bed.post(QUESTION, refund))).toEqual([400, "payment.malformed"]);
    expect([bed.paid.upstream.received, bed.deposits]).toEqual([[], 0]);
    expect(readFileSync(join(bed.paid.folder, "channels.journal"), "utf8")).toBe("");
  });

  it("channels that have too little, or less than was claimed, and those of which a withdrawal is asked for", async () => {
    const bed = await ChannelBed.start();
    const payer = new ChannelPayer();
    const offer = await bed.post(QUESTION);
    const signed = await payer.sign(offer, { sum: PRICE });
    expect(await refusalIn(await bed.post(QUESTION, signed))).toEqual([402, "channel.tooLittle"]);
    const [payment = ""] = Object.values(signed.headers);
    const { channelId } = signedIn(payment).voucher;
    bed.change(channelId, { balance: String(9n * PRICE), totalClaimed: "1" });
    expect(await refusalIn(await bed.post(QUESTION, signed))).toEqual([
      ...[402, "channel.belowClaimed"],
    ]);
    bed.change(channelId, { totalClaimed: "0", withdrawRequestedAt: 1 });
    expect(await refusalIn(await bed.post(QUESTION, signed))).toEqual([402, "channel.withdrawing"]);
    expect(bed.paid.upstream.received).toEqual([]);
  });

  it("deposits below the least, and those that the facilitator refuses", async () => {
    const bed = await ChannelBed.start({
      channel: {
        gate: GATE,
        withdrawDelay: 518_400,
        minDeposit: 100n * PRICE,
        minRefund: undefined,
      },
    });
    const payer = new ChannelPayer();
    bed.paid.settles = { success: false, errorReason: "insufficient_funds" };
    const refused = await bed.post(QUESTION, payer);
    expect([reasonIn(refused), await refusalIn(refused)]).toEqual([
      "insufficient_funds",
      [402, "payment.refused"],
    ]);
    expect(payer.signed[0]?.deposit?.amount).toBe(String(100n * PRICE));
    const [payment = ""] = payer.payments;
    const small = changed(payment, (signed) => ({
      ...signed,
      deposit: { ...signed.deposit, amount: String(99n * PRICE) },
    }));
    expect(await refusalIn(await bed.post(QUESTION, small))).toEqual([402, "channel.smallDeposit"]);
    expect([bed.deposits, bed.paid.upstream.received]).toEqual([1, []]);
  });

  it("payers above their limits of a day", async () => {
    const bed = await ChannelBed.start({ limits: { spend: PRICE, failures: 20 } });
    const payer = new ChannelPayer();
    await bed.post(QUESTION, payer);
    expect(await refusalIn(await bed.post(other, payer))).toEqual([403, "payment.spendLimit"]);
    expect(bed.paid.upstream.received).toHaveLength(1);
  });
});
