import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Channel, channelIdOf } from "@haca/protocol/channels";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { answering } from "./support/bed.ts";
import {
  ChannelBed,
  ChannelPayer,
  changed,
  DELAY,
  FAILED,
  GATE,
  other,
} from "./support/channelBed.ts";
import { Deferred } from "./support/deferred.ts";
import type { Handler } from "./support/httpServer.ts";
import { QUESTION, refusalIn, TRANSACTION } from "./support/paidBed.ts";

/** Large enough that nobody guesses a sum below it. */
const PRICE = 10n ** 18n;
const channel = { gate: GATE, withdrawDelay: DELAY, minDeposit: 9n * PRICE, minRefund: PRICE };
const models = new Map([
  ["m", { amount: PRICE }],
  ["n", { amount: 9n * PRICE }],
]);
const prices = { models, rate: undefined };

type Order = {
  channel: Omit<Channel, "withdrawDelay"> & { withdrawDelay: number };
  number: number;
  kept: string;
  most: string | null;
};
type Said = { state: string; transaction: string | null; error: string | null };

/**
 * A gateway that gives back, over a worker that does as it is told, once it is let. Its facilitator shows the chain as it is then, or,
 * where it `lags`, as it was.
 */
async function start(outcome: () => Said = () => mined, view = { lags: false }) {
  const bed = await ChannelBed.start({ channel, prices });
  const orders: Order[] = [];
  const { worker } = bed.paid;
  const { handler } = worker;
  worker.handler = (response, request) => {
    if (request.path !== "/v1/channels/refunds") return handler(response, request);
    const order = JSON.parse(request.body) as Order;
    orders.push(order);
    const said = outcome();
    const { channel, kept, most } = order;
    const withdrawDelay = BigInt(channel.withdrawDelay);
    const channelId = channelIdOf({ chainId: 31_337n, channel: { ...channel, withdrawDelay } });
    const balance = BigInt(bed.states.get(channelId)?.balance ?? 0);
    if (said.state === "mined" && said.error === null && !view.lags && balance > BigInt(kept)) {
      const left = most === null ? BigInt(kept) : balance - BigInt(most);
      bed.change(channelId, { balance: String(left) });
    }
    return answering(said)(response, request);
  };
  return { bed, orders };
}
const mined = { state: "mined", transaction: TRANSACTION, error: null };
const open = { state: "open", transaction: null, error: null };

/** A payer whose channel has an answer, and eight prices left. */
async function paying(bed: ChannelBed) {
  const payer = new ChannelPayer(bed);
  await bed.post(QUESTION, payer);
  const [{ voucher } = {}] = payer.signed;
  return { payer, channelId: voucher?.channelId ?? "" };
}
const path = (bed: ChannelBed) => `${bed.paid.gateway.url}/v1/channel/chat/completions`;
const get = (bed: ChannelBed, { headers }: { headers: Record<string, string> }) =>
  fetch(path(bed), { headers });

describe("a stock client that asks for what is left of its channel", () => {
  it("has it, but for what was charged, signs a sum that it is told for it, and pays on by a new deposit", async () => {
    const { bed, orders } = await start();
    const { payer, channelId } = await paying(bed);
    const settled = await payer.refund(bed);
    expect(settled).toMatchObject({ success: true, transaction: TRANSACTION });
    expect(orders).toEqual([
      {
        ...{ channel: expect.objectContaining({ receiver: GATE, withdrawDelay: DELAY }) },
        ...{ number: expect.any(Number), kept: String(PRICE), most: null },
      },
    ]);
    const sums = payer.signed.map(({ voucher }) => BigInt(voucher.maxClaimableAmount));
    expect(payer.signed.map(({ type }) => type)).toEqual(["deposit", "refund", "refund"]);
    // More than it had signed before it never signs for that.
    expect(sums.every((sum) => sum <= PRICE)).toBe(true);
    bed.change(channelId, { balance: String(PRICE) });
    const next = await bed.post(other, payer);
    expect([next.status, bed.deposits]).toEqual([200, 2]);
    expect(payer.signed.at(-1)?.voucher.maxClaimableAmount).toBe(String(2n * PRICE));
  });

  it("has as much as it asks for, not more than is left, nor less than the least", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    for (const amount of [8n * PRICE + 1n, PRICE - 1n]) {
      await expect(payer.refund(bed, amount)).rejects.toThrow("refund_amount_invalid");
    }
    expect(orders).toEqual([]);
    await payer.refund(bed, 2n * PRICE);
    expect(orders.map(({ kept, most }) => [kept, most])).toEqual([
      [String(PRICE), String(2n * PRICE)],
    ]);
  });

  it("hears why the worker gives nothing back, and pays on from the channel", async () => {
    const error = "the worker's account is neither the gate's node nor its payee";
    const { bed } = await start(() => ({ state: "refused", transaction: null, error }));
    const { payer } = await paying(bed);
    await expect(payer.refund(bed)).rejects.toThrow(error);
    expect([(await bed.post(other, payer)).status, bed.deposits]).toEqual([200, 1]);
  });

  it("has nothing where nothing is left, or it has begun to withdraw", async () => {
    const { bed, orders } = await start();
    const { payer, channelId } = await paying(bed);
    bed.change(channelId, { withdrawRequestedAt: 1 });
    await expect(payer.refund(bed)).rejects.toThrow("insufficient_balance");
    bed.change(channelId, { withdrawRequestedAt: 0, balance: String(PRICE) });
    // As the next process finds it.
    await bed.paid.restart();
    await expect(payer.refund(bed)).rejects.toThrow("refund_no_balance");
    expect(orders).toEqual([]);
  });

  it("is asked nowhere where the settings give nothing back", async () => {
    const bed = await ChannelBed.start();
    const { status, headers } = await fetch(path(bed));
    expect([status, headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("a stranger who has the vouchers of a channel, as every claim shows them,", () => {
  it("has nothing given back by them, and keeps the payer from nothing", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    const [payment = ""] = payer.payments;
    const shown = changed(payment, (signed) => ({ ...signed, type: "refund" }));
    const first = await get(bed, shown);
    expect(await refusalIn(first)).toEqual([402, "refund.otherSum"]);
    // It is not told another sum each time, until one is its own.
    expect(toldIn(await get(bed, shown))).toBe(toldIn(first));
    expect(BigInt(toldIn(first))).toBeLessThanOrEqual(PRICE);
    expect(orders).toEqual([]);
    await payer.refund(bed);
    expect(orders).toHaveLength(1);
  });

  it("is told no sum where all that was signed is claimed: there is none that it would not have", async () => {
    const { bed, orders } = await start();
    const { payer, channelId } = await paying(bed);
    bed.change(channelId, { balance: String(9n * PRICE), totalClaimed: String(PRICE) });
    // As the next process finds it.
    await bed.paid.restart();
    await expect(payer.refund(bed)).rejects.toThrow();
    const [payment = ""] = payer.payments;
    const shown = changed(payment, (signed) => ({ ...signed, type: "refund" }));
    expect(await refusalIn(await get(bed, shown))).toEqual([402, "refund.notProved"]);
    expect(orders).toEqual([]);
  });

  it("takes the channel's turn with none of them, and has nobody asked anew each time", async () => {
    const { bed } = await start();
    const { payer } = await paying(bed);
    const [payment = ""] = payer.payments;
    const shown = changed(payment, (signed) => ({ ...signed, type: "refund" }));
    const asked = () =>
      bed.paid.facilitator.received.filter(({ path }) => path.startsWith("/channels/")).length;
    const before = asked();
    const strangers = Promise.all(Array.from({ length: 8 }, () => get(bed, shown)));
    expect((await bed.post(other, payer)).status).toBe(200);
    for (const refused of await strangers) expect(refused.status).toBe(402);
    expect(asked() - before).toBeLessThanOrEqual(1);
  });

  it("has no other sum taken than the one that was told, once", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    await payer.refund(bed, 2n * PRICE);
    expect(await refusalIn(await get(bed, payer.last))).toEqual([402, "refund.otherSum"]);
    expect(orders).toHaveLength(1);
  });

  it("gets nothing back of a channel that another key signs for, or of which nothing was charged here", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    const [payment = ""] = payer.payments;
    const forged = changed(payment, (signed) => ({
      ...{ ...signed, type: "refund" },
      voucher: { ...signed.voucher, maxClaimableAmount: "1" },
    }));
    expect(await refusalIn(await get(bed, forged))).toEqual([402, "channel.notSigned"]);
    const stranger = new ChannelPayer(bed);
    const upstream = bed.paid.upstream.handler;
    bed.paid.upstream.handler = FAILED;
    await bed.post(other, stranger);
    bed.paid.upstream.handler = upstream;
    await expect(stranger.refund(bed)).rejects.toThrow("refund_payload");
    const malformed = changed(payment, (signed) => ({ ...signed, type: "refund", amount: "-1" }));
    expect(await refusalIn(await get(bed, malformed))).toEqual([400, "payment.malformed"]);
    expect(orders).toEqual([]);
  });
});

describe("while something is given back of a channel", () => {
  it("it pays for nothing, also of the next process, which asks with the same order", async () => {
    let outcome: Said = open;
    const { bed, orders } = await start(() => outcome);
    const { payer } = await paying(bed);
    const offer = await bed.post(other);
    const voucher = await payer.sign(offer, { sum: 2n * PRICE });
    await expect(payer.refund(bed)).rejects.toThrow("status 503");
    expect(await refusalIn(await bed.post(other, voucher))).toEqual([503, "channel.refunding"]);
    await bed.paid.restart();
    const later = await payer.sign(await bed.post(other), { sum: 2n * PRICE });
    expect(await refusalIn(await bed.post(other, later))).toEqual([503, "channel.refunding"]);
    expect(new Set(orders.map((order) => JSON.stringify(order))).size).toBe(1);
    const journal = () => readFileSync(join(bed.paid.folder, "channels.journal"), "utf8");
    expect(journal().trimEnd().split("\n").at(-1)).toContain(`"kept":"${PRICE}"`);
    outcome = mined;
    bed.change(payer.signed[0]?.voucher.channelId ?? "", { balance: String(PRICE) });
    // It has what it had before the refund, and hears that there is too little.
    expect(await refusalIn(await bed.post(other, later))).toEqual([402, "channel.tooLittle"]);
    expect(bed.paid.upstream.received).toHaveLength(1);
  });

  it("it pays for nothing while the facilitator shows the chain of before, unless the worker is sure", async () => {
    let outcome: Said = mined;
    const view = { lags: true };
    const { bed } = await start(() => outcome, view);
    const { payer, channelId } = await paying(bed);
    const voucher = await payer.sign(await bed.post(other), { sum: 2n * PRICE });
    await expect(payer.refund(bed)).rejects.toThrow("status 503");
    // Nor by what somebody has deposited in between.
    bed.change(channelId, { balance: String(10n * PRICE) });
    expect(await refusalIn(await bed.post(other, voucher))).toEqual([503, "channel.refunding"]);
    expect(bed.paid.upstream.received).toHaveLength(1);
    outcome = { ...mined, state: "done" };
    expect((await bed.post(other, voucher)).status).toBe(200);
  });

  it("it pays for nothing though the worker takes nothing from here any more: it has the order", async () => {
    let outcome: Said | undefined = open;
    const { bed } = await start(() => outcome ?? expect.fail());
    const { worker } = bed.paid;
    const { payer } = await paying(bed);
    const voucher = await payer.sign(await bed.post(other), { sum: 2n * PRICE });
    await expect(payer.refund(bed)).rejects.toThrow("status 503");
    const { handler } = worker;
    for (const status of [401, 404, 429, 500]) {
      worker.handler = answering({ error: {} }, status);
      expect(await refusalIn(await bed.post(other, voucher))).toEqual([503, "channel.refunding"]);
    }
    worker.handler = handler;
    outcome = mined;
    expect((await bed.post(other, voucher)).status).toBe(402);
    expect(bed.paid.upstream.received).toHaveLength(1);
  });

  it("and while it is being answered from, the other waits", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    const [asked, go] = [new Deferred(), new Deferred()];
    const answer: Handler = bed.paid.upstream.handler;
    bed.paid.upstream.handler = async (response, request) => {
      asked.resolve();
      await go.promise;
      await answer(response, request);
    };
    const running = bed.post(other, payer);
    await asked.promise;
    await expect(payer.refund(bed)).rejects.toThrow("status 409");
    expect(orders).toEqual([]);
    go.resolve();
    expect((await running).status).toBe(200);
    await payer.refund(bed);
    // Both answers can be claimed still.
    expect(orders.map(({ kept }) => kept)).toEqual([String(2n * PRICE)]);
  });

  it("and what is paid by it while its state is asked for stays in it, too", async () => {
    const { bed, orders } = await start();
    const { payer } = await paying(bed);
    const dear = { ...QUESTION, model: "n" };
    const { facilitator, settles } = bed.paid;
    bed.paid.settles = { success: false, errorReason: "insufficient_funds" };
    await bed.post(dear, payer);
    bed.paid.settles = settles;
    const deposit = payer.last;
    const now = performance.now.bind(performance);
    let ahead = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
    onTestFinished(() => void vi.restoreAllMocks());
    /** What is known of the channel is too old to be gone by. */
    const age = () => {
      ahead += 31_000;
    };
    age();
    const { handler } = facilitator;
    let asked = 0;
    let paid: Response | undefined;
    facilitator.handler = async (response, request) => {
      if (request.path.startsWith("/channels/")) asked += 1;
      // First comes the request that is told a sum, then the one with this sum: while it waits, the deposit is paid.
      if (asked === 1) age();
      if (asked === 2 && paid === undefined) paid = await bed.post(dear, deposit);
      await handler(response, request);
    };
    await payer.refund(bed);
    expect(paid?.status).toBe(200);
    expect(orders.map(({ kept }) => kept)).toEqual([String(10n * PRICE)]);
  });
});

/** The sum that a refusal tells. */
function toldIn(response: Response): string {
  const required = JSON.parse(
    Buffer.from(response.headers.get("payment-required") ?? "", "base64").toString(),
  );
  return required.accepts[0].extra.channelState.chargedCumulativeAmount;
}
