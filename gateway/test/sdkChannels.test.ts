import { batchSettlement, channelIdOf, depositNonceOf } from "@haca/protocol/channels";
import { createHaca } from "@haca/sdk/client/createHaca";
import type { Payer, Payment, PaymentDemand } from "@haca/sdk/client/payer";
import { noteAfter } from "@haca/sdk/pay/channel/channelState";
import {
  depositData,
  channelIdOf as idOf,
  voucherData,
  withdrawalOf,
} from "@haca/sdk/pay/channel/channelTypes";
import { createPayer, type PayerOptions } from "@haca/sdk/pay/createPayer";
import { memoryJournal, type PaymentJournal } from "@haca/sdk/pay/journal";
import { keySigner } from "@haca/sdk/pay/keySigner";
import { Wallet } from "ethers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HONEST } from "../../sdk/test/support/chains.ts";
import { type Endpoint, serveChain } from "../../sdk/test/support/fakeChain.ts";
import { DOMAIN, VERSION_ID } from "./support/bed.ts";
import { ChannelBed, FAILED, GATE, signedIn } from "./support/channelBed.ts";
import { PAYEE, PRICE } from "./support/paidBed.ts";

const TOKEN = `0x${"22".repeat(20)}`;
const CHAIN_ID = 31_337n;
const DEPOSIT = 20_000n;
const PINS = {
  settlements: [{ chainId: "31337", settlement: String(DOMAIN.verifyingContract) }],
  models: { m: { version: VERSION_ID } },
};
const MESSAGES = [{ role: "user" as const, content: "hello" }];

let bed: ChannelBed;
let chain: Endpoint;
let wallet: { privateKey: string; address: string };
/** Headers of payments as the gateway got them. */
let brought: string[];
beforeEach(async () => {
  bed = await ChannelBed.start();
  const time = BigInt(Math.floor(Date.now() / 1000));
  chain = await serveChain({ time, contracts: HONEST });
  wallet = Wallet.createRandom();
  brought = [];
});
afterEach(() => chain.close());

function payerOf(journal: PaymentJournal, changes: Partial<PayerOptions> = {}): Payer {
  return createPayer({
    signer: keySigner(wallet.privateKey),
    pins: {
      ...{ chainId: CHAIN_ID, token: { address: TOKEN, name: "OPG", version: "1" } },
      ...{ payees: [PAYEE], gates: [GATE] },
    },
    ...{ routes: ["channel"], journal, channelDeposit: DEPOSIT },
    ...{ maxPerCall: PRICE, maxPerSession: DEPOSIT, ...changes },
  });
}

/** A client that verifies by the registry, and whose payments are noted as they leave. */
function clientOf(payer: Payer) {
  const noting: Payer = {
    ...payer,
    pay: async (demand) => noted(await payer.pay(demand)),
    recall: async (asked) => {
      const payment = await payer.recall(asked);
      return payment && noted(payment);
    },
    renew: async (payment, demand) => {
      const renewed = await payer.renew(payment, demand);
      return renewed && noted(renewed);
    },
  };
  return createHaca({
    ...{ chainId: CHAIN_ID, pins: PINS, rpcs: [chain.url], nodes: [bed.paid.gateway.url] },
    ...{ payer: noting, policy: { attestation: "registry" } },
  });
}
const noted = <Made extends { header: string }>(made: Made): Made => {
  brought.push(made.header);
  return made;
};

const ask = (payer: Payer, idempotencyKey = crypto.randomUUID(), signal?: AbortSignal) =>
  clientOf(payer).chat({
    ...{ model: "m", messages: MESSAGES, idempotencyKey },
    ...(signal === undefined ? {} : { signal }),
  });
const sums = (): string[] => brought.map((header) => signedIn(header).voucher.maxClaimableAmount);
/** Deposits that left, by what makes each of them one. */
const deposits = (): Set<string> =>
  new Set(
    brought.flatMap((header) => {
      const { deposit } = signedIn(header);
      return deposit === undefined ? [] : [JSON.stringify(deposit)];
    }),
  );

describe("the SDK pays by channel", () => {
  it("deposits once, then by vouchers alone, and the answers are verified", async () => {
    const journal = memoryJournal();
    const payer = payerOf(journal);
    const first = await ask(payer);
    expect(first.verification).toBe("verified");
    expect(first.payment).toMatchObject({
      ...{ route: "channel", escrow: GATE, most: String(PRICE), deposit: String(DEPOSIT) },
    });
    const second = await ask(payer);
    expect(second.payment?.deposit).toBeUndefined();
    expect(sums()).toEqual([String(PRICE), String(2n * PRICE)]);
    expect(deposits().size).toBe(1);
    expect(bed.deposits).toBe(1);
  });

  it("goes on after a restart from its journal, with no deposit and no other sum", async () => {
    const journal = memoryJournal();
    await ask(payerOf(journal));
    await ask(payerOf(journal));
    expect(sums()).toEqual([String(PRICE), String(2n * PRICE)]);
    expect(deposits().size).toBe(1);
  });

  it("signs what a node tells was charged by its own vouchers, where its journal is an old one", async () => {
    const texts = new Map<string, string>();
    const journal = journalOf(texts);
    await ask(payerOf(journal));
    const old = new Map(texts);
    await ask(payerOf(journal));
    await ask(payerOf(journal));
    const later = await ask(payerOf(journalOf(old)));
    expect(later.verification).toBe("verified");
    expect(sums().slice(-2)).toEqual([String(2n * PRICE), String(4n * PRICE)]);
    expect(deposits().size).toBe(1);
  });

  it("signs nothing on top of a sum that it never signed, and says that a voucher has left", async () => {
    const texts = new Map<string, string>();
    await ask(payerOf(journalOf(texts)));
    const [name = ""] = [...texts.keys()].filter((known) => known.includes("-channel-"));
    texts.set(name, JSON.stringify({ ...JSON.parse(texts.get(name) ?? ""), charged: "0" }));
    const payer = payerOf(journalOf(texts));
    const before = brought.length;
    const lied = ask({
      ...payer,
      renew: (payment, demand) => payer.renew(payment, { ...demand, offers: lie(demand.offers) }),
    });
    await expect(lied).rejects.toMatchObject({
      code: "payment.unanswered",
      details: { reason: "payment.wrongSum", payment: { most: String(PRICE) } },
    });
    expect(brought).toHaveLength(before + 1);
    // What the gateway says itself is proved by the payer's own voucher.
    expect((await ask(payerOf(journalOf(texts)))).verification).toBe("verified");
  });

  it("brings more in when there is too little, and no more than is allowed in all", async () => {
    const payer = payerOf(memoryJournal(), { channelDeposit: PRICE, maxPerSession: 2n * PRICE });
    await ask(payer);
    await ask(payer);
    expect(deposits().size).toBe(2);
    await expect(ask(payer)).rejects.toMatchObject({ code: "payment.sessionSpent" });
    expect(brought).toHaveLength(2);
  });

  it("asks one thing of a channel at a time", async () => {
    const payer = payerOf(memoryJournal());
    const answers = await Promise.all([ask(payer), ask(payer), ask(payer)]);
    expect(answers.map(({ verification }) => verification)).toEqual(Array(3).fill("verified"));
    expect(sums()).toEqual([1n, 2n, 3n].map((count) => String(count * PRICE)));
  });

  it("pays once for one request that is asked twice at once, and at no other node", async () => {
    const payer = payerOf(memoryJournal());
    const key = crypto.randomUUID();
    await Promise.all([ask(payer, key), ask(payer, key)]);
    expect(new Set(sums())).toEqual(new Set([String(PRICE)]));
    const demand = await demandOf(payer);
    const before = brought.length;
    const elsewhere = { ...demand, node: new URL("https://other.example") };
    await expect(payer.pay(elsewhere)).rejects.toMatchObject({ code: "payment.otherNode" });
    expect(brought).toHaveLength(before);
  });

  it("raises the voucher of one request twice at most, in however many calls", async () => {
    const payer = payerOf(memoryJournal());
    const demand = await demandOf(payer);
    const raised = async (payment: Payment | undefined) => {
      if (payment === undefined) throw new Error("no payment");
      const { channelId, maxClaimableAmount: charged } = signedIn(payment.header).voucher;
      const offers = lie(demand.offers, { channelId, charged });
      return await payer.renew(payment, { ...demand, offers });
    };
    const sumOf = (payment?: Payment) => signedIn(payment?.header ?? "").voucher.maxClaimableAmount;
    const first = await payer.recall(demand);
    const second = await raised(first);
    expect(sumOf(second)).toBe(String(2n * PRICE));
    await second?.end?.(undefined);
    const third = await raised(await payer.recall(demand));
    expect(sumOf(third)).toBe(String(3n * PRICE));
    await third?.end?.(undefined);
    await expect(raised(await payer.recall(demand))).rejects.toMatchObject({
      code: "payment.tooMuch",
    });
  });

  it("counts what was noted of a channel, though its request could not be", async () => {
    const whole = memoryJournal();
    let fails = true;
    const journal: PaymentJournal = {
      ...whole,
      async add(name, text) {
        if (fails && !name.includes("-channel-")) throw new Error("the disk is full");
        await whole.add(name, text);
      },
    };
    const budget = 2n * PRICE;
    const payer = payerOf(journal, { channelDeposit: budget, maxPerSession: budget });
    await expect(ask(payer)).rejects.toMatchObject({ code: "payment.notNoted" });
    fails = false;
    await ask(payer);
    await ask(payer);
    await expect(ask(payer)).rejects.toMatchObject({ code: "payment.sessionSpent" });
    expect(new Set(sums())).toEqual(new Set([String(PRICE), String(budget)]));
  });

  it("lets a channel go where a request fails, and takes the same sum for the next", async () => {
    const payer = payerOf(memoryJournal());
    await ask(payer);
    const { upstream } = bed.paid;
    const { handler } = upstream;
    upstream.handler = FAILED;
    await expect(ask(payer)).rejects.toMatchObject({ code: "payment.unanswered" });
    upstream.handler = handler;
    expect((await ask(payer)).verification).toBe("verified");
    expect(sums()).toEqual([PRICE, 2n * PRICE, 2n * PRICE].map(String));
  });

  it.each<[string, Partial<PayerOptions>, string]>([
    ["above the most for a call", { maxPerCall: PRICE - 1n }, "payment.tooMuch"],
    ["above the budget", { maxPerSession: PRICE - 1n }, "payment.sessionSpent"],
    ["a deposit above the budget", { maxPerSession: PRICE }, "payment.sessionSpent"],
    ["a deposit that is too small", { channelDeposit: PRICE - 1n }, "payment.tooMuch"],
    ["a withdrawal that takes too long", { maxWithdrawDelay: 3_600 }, "payment.wrongTerms"],
  ])("pays nothing: %s", async (_, changes, code) => {
    await expect(ask(payerOf(memoryJournal(), changes))).rejects.toMatchObject({ code });
    expect(brought).toEqual([]);
  });

  it("pays no gate that is not pinned, and nothing without a journal or beside another route", async () => {
    const other = { chainId: CHAIN_ID, token: { address: TOKEN, name: "OPG", version: "1" } };
    const payer = payerOf(memoryJournal(), { pins: { ...other, gates: [PAYEE] } });
    await expect(ask(payer)).rejects.toMatchObject({ code: "payment.wrongPayTo" });
    const wrong = [
      { journal: undefined as never },
      { routes: ["channel", "exact"] as never },
      { pins: { ...other, payees: [PAYEE] } },
      { maxWithdrawDelay: 0 },
    ];
    for (const changes of wrong) {
      expect(() => payerOf(memoryJournal(), changes)).toThrow(
        expect.objectContaining({ code: "option.wrong" }),
      );
    }
    expect(brought).toEqual([]);
  });
});

/** The offers of a node that says of a channel that more was charged than anybody signed. */
function lie(
  offers: string | undefined,
  told: { channelId?: string; charged: string } = { charged: String(PRICE + 1n) },
): string {
  const required = JSON.parse(Buffer.from(offers ?? "", "base64").toString());
  const { extra } = required.accepts[0];
  const { channelId = extra.channelState?.channelId, charged } = told;
  extra.channelState = { ...extra.channelState, channelId, chargedCumulativeAmount: charged };
  return Buffer.from(JSON.stringify(required)).toString("base64");
}

/** What a node asked for a request that failed then. */
async function demandOf(payer: Payer): Promise<PaymentDemand> {
  const { upstream } = bed.paid;
  const { handler } = upstream;
  let demand: PaymentDemand | undefined;
  const seen: Payer = {
    ...payer,
    pay(asked) {
      demand = asked;
      return payer.pay(asked);
    },
  };
  upstream.handler = FAILED;
  await expect(ask(seen)).rejects.toMatchObject({ code: "payment.unanswered" });
  upstream.handler = handler;
  if (demand === undefined) throw new Error("nothing was asked for");
  return demand;
}

const journalOf = (texts: Map<string, string>): PaymentJournal => ({
  read: async (name) => texts.get(name),
  async add(name, text) {
    if (texts.has(name)) throw new Error("there is such a payment");
    texts.set(name, text);
  },
  async replace(name, text) {
    texts.set(name, text);
  },
});

/** Ends the process, as far as the journal goes, at its operation of this number: before it is done, or after. */
function dyingJournal(texts: Map<string, string>, at: number, isDone: boolean) {
  const whole = journalOf(texts);
  let operations = 0;
  const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    operations += 1;
    if (operations > at || (operations === at && !isDone)) throw new Error("killed");
    const result = await work();
    if (operations === at) throw new Error("killed");
    return result;
  };
  const journal: PaymentJournal = {
    read: (name) => step(() => whole.read(name)),
    add: (name, text) => step(() => whole.add(name, text)),
    replace: (name, text) => step(() => whole.replace(name, text)),
  };
  return { journal, reached: () => operations >= at };
}

describe("a payer that is killed", () => {
  it.each([false, true])(
    "pays once all the same, at every step of its journal, done: %s",
    async (isDone) => {
      let steps = 0;
      for (let at = 1; ; at += 1) {
        wallet = Wallet.createRandom();
        brought = [];
        const texts = new Map<string, string>();
        const key = crypto.randomUUID();
        const dying = dyingJournal(texts, at, isDone);
        // What fails once the answer is there costs no answer.
        await ask(payerOf(dying.journal), key).catch(() => undefined);
        const reply = await ask(payerOf(journalOf(texts)), key);
        expect(reply.verification).toBe("verified");
        expect([...new Set(sums())]).toEqual([String(PRICE)]);
        expect(deposits().size).toBe(1);
        // The next one goes on from there.
        await ask(payerOf(journalOf(texts)));
        expect(sums().at(-1)).toBe(String(2n * PRICE));
        expect(deposits().size).toBe(1);
        if (!dying.reached()) break;
        steps += 1;
      }
      expect(steps).toBeGreaterThan(4);
    },
  );

  it("brings the same voucher again when it died before the answer came, and has that answer", async () => {
    const texts = new Map<string, string>();
    const key = crypto.randomUUID();
    const leaving = new AbortController();
    const { upstream } = bed.paid;
    const { handler } = upstream;
    upstream.handler = (response, request) => {
      leaving.abort(new Error("killed"));
      return handler(response, request);
    };
    await expect(ask(payerOf(journalOf(texts)), key, leaving.signal)).rejects.toThrow("killed");
    upstream.handler = handler;
    const reply = await ask(payerOf(journalOf(texts)), key);
    expect(reply.verification).toBe("verified");
    expect(new Set(sums())).toEqual(new Set([String(PRICE)]));
    expect(deposits().size).toBe(1);
    await ask(payerOf(journalOf(texts)));
    expect(sums().at(-1)).toBe(String(2n * PRICE));
  });
});

describe("what is signed for a channel", () => {
  const signer = keySigner(`0x${"17".repeat(32)}`);
  const payer = signer.address;
  const channel = {
    ...{ payer, payerAuthorizer: payer, receiver: GATE, receiverAuthorizer: GATE, token: TOKEN },
    ...{ withdrawDelay: 518_400, salt: `0x${"00".repeat(32)}` },
  };
  const there = { ...channel, withdrawDelay: 518_400n };
  const channelId = idOf("31337", channel);

  it("is what the contracts compute: its id, its deposit's nonce, its withdrawal", () => {
    expect(channelId).toBe(channelIdOf({ chainId: CHAIN_ID, channel: there }));
    const pins = {
      ...{ chainId: "31337", escrow: undefined, payees: undefined, gates: [GATE] },
      token: { address: TOKEN, name: "OPG", version: "1" },
    };
    const salt = `0x${"05".repeat(32)}`;
    const data = depositData(pins, { payer, channelId, amount: "7", validBefore: "9", salt });
    expect(data.message.nonce).toBe(depositNonceOf({ channelId, salt: BigInt(salt) }));
    const { begin, end } = withdrawalOf(channel, 7n);
    expect(begin.data).toBe(batchSettlement.encodeFunctionData("initiateWithdraw", [there, 7n]));
    expect(end.data).toBe(batchSettlement.encodeFunctionData("finalizeWithdraw", [there]));
  });

  it("is the most that a node can say was charged: its word needs a voucher of the payer's own", async () => {
    const note = {
      ...{ version: 1 as const, channelId, channel, charged: "0", signed: "100" },
      ...{ balance: "100", deposit: null },
    };
    const told = (charged: string, voucher?: { sum: string; signature: string }) =>
      noteAfter(note, { charged, balance: undefined, voucher }, "31337");
    const own = async (sum: string, by = signer) => ({
      sum,
      signature: await by.signTypedData(voucherData("31337", { channelId, sum })),
    });
    expect(told("100")).toMatchObject({ charged: "100", signed: "100" });
    expect(told("40")).toMatchObject({ charged: "40", signed: "100" });
    expect(told("150", await own("200"))).toMatchObject({ charged: "150", signed: "200" });
    const stranger = keySigner(`0x${"18".repeat(32)}`);
    for (const voucher of [
      undefined,
      await own("149"),
      await own("200", stranger),
      { ...(await own("200")), sum: "201" },
    ]) {
      expect(() => told("150", voucher)).toThrow(
        expect.objectContaining({ code: "payment.wrongSum" }),
      );
    }
  });
});
