import { verifyTypedData, Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { createPayer, type PayerOptions } from "../src/pay/createPayer.ts";
import { memoryJournal } from "../src/pay/journal.ts";
import { keySigner } from "../src/pay/keySigner.ts";
import type { Signer } from "../src/pay/signer.ts";
import { CHAIN_ID, ChatNode, OTHERS, PINS, TEXT } from "./support/chatNode.ts";
import {
  CountingSigner,
  ESCROW,
  type Greed,
  PAYEE,
  PAYMENT_PINS,
  PRICE,
  read,
  SellingNode,
  TRANSACTION,
} from "./support/sellingNode.ts";

const OTHER = `0x${"99".repeat(20)}`;
const KEY = "k".repeat(16);
let node: SellingNode;
let signer: CountingSigner;
beforeAll(async () => {
  node = await SellingNode.start();
});
beforeEach(() => {
  node.reset();
  signer = new CountingSigner();
  node.sold = { requester: signer.address.toLowerCase(), price: String(PRICE) };
});
afterEach(() => void vi.useRealTimers());
afterAll(() => node.stop());

const payerWith = (options: Partial<PayerOptions> = {}) =>
  createPayer({
    ...{ signer, pins: PAYMENT_PINS, maxPerCall: PRICE, maxPerSession: PRICE },
    ...options,
  });
const clientWith = (options: Partial<PayerOptions> = {}, nodes = [node.url]) =>
  createHaca({ chainId: CHAIN_ID, pins: PINS, nodes, payer: payerWith(options) });
const QUESTION: ChatOptions = { model: "m", messages: [{ role: "user", content: "Grüße 😀" }] };

/** How an answer that is paid for fails. */
const failure = async (
  options: Partial<PayerOptions> = {},
  asked: Partial<ChatOptions> = {},
): Promise<unknown> =>
  clientWith(options)
    .chat({ ...QUESTION, ...asked })
    .then(
      () => "answered",
      (error) => error,
    );
const coded = (code: string, rest: object = {}) => expect.objectContaining({ code, ...rest });

describe("a payer", () => {
  it("has an answer's price held by the escrow, and says so in the answer and its receipt", async () => {
    const told: unknown[] = [];
    const reply = await clientWith({ onPayment: (terms) => void told.push(terms) }).chat(QUESTION);
    expect([reply.text, reply.verification]).toEqual([TEXT, "verified"]);
    expect(reply.payment).toMatchObject({
      ...{ route: "escrow", escrow: ESCROW, payee: PAYEE, most: String(PRICE) },
      ...{ payer: signer.address.toLowerCase(), transaction: TRANSACTION },
    });
    const { transaction: _none, ...terms } = reply.payment ?? expect.fail("unpaid");
    expect(told).toEqual([terms]);
    expect(reply.receipt?.hints).toEqual({
      ...{ paymentRoute: "escrow", paymentEscrow: ESCROW, paymentTransaction: TRANSACTION },
      ...{ paymentToken: PAYMENT_PINS.token.address, paymentNonce: terms.nonce },
    });
    const { permit2Authorization } = read(node.payments[0]).payload;
    expect(permit2Authorization.nonce).toBe(String(BigInt(terms.nonce)));
    expect([signer.signed.length, node.asked]).toEqual([1, 2]);
  });

  it("transfers it at once by exact, also for a stream; pays nothing where an answer is free", async () => {
    const haca = clientWith({
      routes: ["exact"],
      pins: { ...PAYMENT_PINS, escrow: undefined } as never,
    });
    const stream = haca.streamChat(QUESTION);
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next.value.payment).toMatchObject({ route: "exact", escrow: null, payee: PAYEE });
    expect(read(node.payments[0]).payload.authorization).toMatchObject({ to: PAYEE });
    const free = await ChatNode.start();
    try {
      const reply = await clientWith({}, [free.url]).chat(QUESTION);
      expect([reply.payment, reply.receipt?.hints]).toEqual([null, {}]);
    } finally {
      free.stop();
    }
    expect(signer.signed).toHaveLength(1);
  });

  it("is a wallet, an account of viem, of ethers, or of a key: all sign the same bytes", async () => {
    const { address, privateKey } = signer;
    const ethers = new Wallet(privateKey);
    const wallet = {
      async request({ method, params = [] }: { method: string; params?: readonly unknown[] }) {
        if (method !== "eth_signTypedData_v4") return [address];
        const { EIP712Domain: _own, ...types } = JSON.parse(String(params[1])).types;
        const { domain, message } = JSON.parse(String(params[1]));
        return await ethers.signTypedData(domain, types, message);
      },
    };
    const signers: Signer[] = [
      wallet,
      privateKeyToAccount(privateKey as `0x${string}`),
      ethers,
      keySigner(privateKey),
    ];
    for (const one of signers) await clientWith({ signer: one }).chat(QUESTION);
    for (const header of node.payments) {
      const { payload } = read(header);
      const { from, ...message } = payload.permit2Authorization;
      expect(from).toBe(address.toLowerCase());
      expect(recovered(message, payload.signature)).toBe(address);
    }
    expect(node.payments).toHaveLength(4);
  });
});

/** Who has signed a permit, by the public types. */
function recovered(message: Record<string, unknown>, signature: string): string {
  const field = (text: string) => {
    const [type = "", name = ""] = text.split(" ");
    return { name, type };
  };
  const types = {
    PermitWitnessTransferFrom: [
      ...["TokenPermissions permitted", "address spender", "uint256 nonce", "uint256 deadline"],
      "Witness witness",
    ].map(field),
    TokenPermissions: ["address token", "uint256 amount"].map(field),
    Witness: ["address to", "address facilitator", "uint256 validAfter"].map(field),
  };
  const verifyingContract = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
  const domain = { name: "Permit2", chainId: CHAIN_ID, verifyingContract };
  return verifyTypedData(domain, types, message, signature);
}

describe("what is not as pinned is refused before anything is signed", () => {
  const past = Math.floor(Date.now() / 1000) - 1;
  const quote = (fields: object): Greed => ({ quote: () => ({ ...fields }) });
  const offer = (fields: object): Greed => ({ offer: () => ({ ...fields }) });
  it.each<[string, Greed, string]>([
    [
      "more than the most",
      { ...offer({ amount: "5001" }), ...quote({ amount: "5001" }) },
      "tooMuch",
    ],
    ["more than was quoted", offer({ amount: "4999" }), "wrongQuote"],
    ["nothing", { ...offer({ amount: "0" }), ...quote({ amount: "0" }) }, "wrongQuote"],
    ["another receiver", offer({ payTo: OTHER }), "wrongPayTo"],
    ["another payee", quote({ payee: OTHER }), "wrongPayee"],
    ["another token", offer({ asset: OTHER }), "wrongToken"],
    ["another token in the quote", quote({ token: OTHER }), "wrongQuote"],
    ["another chain", offer({ network: "eip155:1" }), "wrongNetwork"],
    ["a time that is over", quote({ expiresAt: past }), "expired"],
    ["no time", offer({ maxTimeoutSeconds: 0 }), "expired"],
    ["another request", quote({ requestHash: `0x${"77".repeat(32)}` }), "wrongRequest"],
    ["results of anybody", quote({ kinds: 128 }), "wrongTerms"],
    ["no results", quote({ kinds: 0 }), "wrongTerms"],
    ["a month", quote({ captureWindow: 2_592_000 }), "wrongTerms"],
    ["results of another node", quote({ node: OTHER }), "wrongNode"],
    [
      "a facilitator of its own",
      { offer: ({ extra }) => ({ extra: { ...(extra as object), facilitatorAddress: OTHER } }) },
      "wrongFacilitator",
    ],
    [
      "another domain",
      { offer: ({ extra }) => ({ extra: { ...(extra as object), version: "2" } }) },
      "wrongDomain",
    ],
    ["another scheme", offer({ scheme: "batch-settlement" }), "noRoute"],
    ["an older x402", { header: (header) => ({ ...header, x402Version: 1 }) }, "malformed"],
    ["an amount that is none", offer({ amount: "0x10" }), "malformed"],
  ])("a node that wants %s", async (_what, greed, code) => {
    node.greed = greed;
    expect(await failure()).toEqual(
      coded(`payment.${code}`, { message: expect.stringMatching(/; nothing was paid$/) }),
    );
    expect([signer.signed, node.asked]).toEqual([[], 1]);
  });

  it("a route that nobody has pinned a payee for, and any without a budget", async () => {
    expect(await failure({ maxPerCall: 0n })).toEqual(coded("payment.tooMuch"));
    expect(await failure({ maxPerSession: PRICE - 1n })).toEqual(coded("payment.sessionSpent"));
    const { payees: _none, ...pins } = PAYMENT_PINS;
    expect(() => payerWith({ routes: ["exact"], pins })).toThrow(/^pins\.payees: /);
    expect(() => payerWith({ routes: ["escrow", "exact"] })).toThrow(/^journal: /);
    expect(() =>
      createHaca({ chainId: 1, pins: PINS, nodes: [node.url], payer: payerWith() }),
    ).toThrow(/^payer: pays on chain 31337/);
    expect(signer.signed).toEqual([]);
  });

  it("a session's budget is that of all calls together, also of such as run at once", async () => {
    const haca = clientWith({ maxPerSession: 2n * PRICE });
    const replies = await Promise.allSettled([1, 2, 3].map(() => haca.chat(QUESTION)));
    expect(replies.map(({ status }) => status).sort()).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    expect(signer.signed).toHaveLength(2);
  });

  it("an enclave whose image is not pinned is not even asked", async () => {
    node.lies = { shows: OTHERS.image };
    expect(await failure()).toEqual(coded("answer.notVerified"));
    expect([signer.signed, node.asked]).toEqual([[], 0]);
  });

  it("a signer that declines, or signs as somebody else, has paid nothing, and nothing is spent", async () => {
    const another = Wallet.createRandom();
    const { address } = signer;
    const signTypedData = (a: never, b: never, c: never) => another.signTypedData(a, b, c);
    expect(await failure({ signer: { address, signTypedData } })).toEqual(
      coded("payment.notSigned"),
    );
    const haca = clientWith();
    signer.before = () => {
      throw new Error("declined");
    };
    await expect(haca.chat(QUESTION)).rejects.toEqual(coded("payment.notSigned"));
    signer.before = () => undefined;
    expect((await haca.chat(QUESTION)).payment?.most).toBe(String(PRICE));
    expect(node.payments).toHaveLength(1);
  });
});

describe("after a payment has left", () => {
  const refusing =
    (status: number, headers: Record<string, string> = {}): SellingNode["paid"] =>
    (response) => {
      response.writeHead(status, headers);
      response.end(JSON.stringify({ error: { message: "no", code: "x" } }));
    };
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");
  it.each<[string, (seller: SellingNode) => SellingNode["paid"], string]>([
    ["answers 500", () => refusing(500), "unanswered"],
    ["answers 503", () => refusing(503), "unanswered"],
    ["breaks off", () => (response) => response.destroy(), "unanswered"],
    [
      "asks to be paid again",
      (seller) => (response, request) =>
        refusing(402, { "payment-required": seller.offers(), "payment-response": "" })(
          response,
          request,
        ),
      "askedAgain",
    ],
    [
      "refuses the payment",
      () => refusing(402, { "payment-response": base64({ errorReason: "insufficient_funds" }) }),
      "refused",
    ],
  ])("a node that %s gets no second one, and nobody else is asked", async (_what, paid, code) => {
    const second = await SellingNode.start();
    try {
      for (const one of [node, second]) {
        one.paid = paid(one);
      }
      const haca = clientWith({ maxPerSession: 9n * PRICE }, [node.url, second.url]);
      const error = await haca.chat(QUESTION).catch((thrown) => thrown);
      expect(error).toEqual(
        coded(`payment.${code}`, {
          details: expect.objectContaining({
            payment: expect.objectContaining({ most: String(PRICE), route: "escrow" }),
          }),
        }),
      );
      expect(JSON.stringify(error.details)).not.toContain(
        read(node.payments[0] ?? second.payments[0]).payload.signature,
      );
      expect([signer.signed.length, node.payments.length + second.payments.length]).toEqual([1, 1]);
    } finally {
      second.stop();
    }
  });

  it.each<[string, object, string]>([
    ["charges more than was paid", { price: String(PRICE + 1n) }, "answer.unexpected"],
    ["answers for somebody else", { requester: OTHER }, "answer.unexpected"],
  ])("a node that %s is an error that says what was paid", async (_what, sold, code) => {
    node.sold = { ...node.sold, ...sold };
    expect(await failure()).toEqual(
      coded(code, { details: expect.objectContaining({ payment: expect.anything() }) }),
    );
  });

  it("another node is asked before it, where one has too much to do", async () => {
    const busy = await ChatNode.start();
    try {
      busy.lies = { instead: (response) => response.writeHead(503).end("{}") };
      // Whichever is drawn first.
      for (let i = 0; i < 4; i += 1) await clientWith({}, [busy.url, node.url]).chat(QUESTION);
      expect(node.payments).toHaveLength(4);
    } finally {
      busy.stop();
    }
  });
});

describe("the same request under the same key", () => {
  const asked = { ...QUESTION, idempotencyKey: KEY };
  /** A process that dies where it is told to, and what is left of it: the journal. */
  const CRASH = new Error("died");

  const CRASHES = [
    ...["before the note", "after the note", "before the signature", "after the signature"],
    ...["after it is noted", "after it was sent"],
  ];
  it.each(
    CRASHES.flatMap((point) => [
      { point, route: "escrow" as const },
      { point, route: "commerce" as const },
    ]),
  )("is the same payment, byte by byte, after a crash $point, by $route", async (crash) => {
    const { point, route } = crash;
    const routes = [route];
    const journal = memoryJournal();
    const die = (at: string): void => {
      if (at === point) throw CRASH;
    };
    const dying = {
      ...journal,
      async add(name: string, text: string) {
        die("before the note");
        await journal.add(name, text);
        die("after the note");
      },
      async replace(name: string, text: string) {
        die("after the signature");
        await journal.replace(name, text);
        die("after it is noted");
      },
    };
    signer.before = () => die("before the signature");
    node.paid = (response) => (point === "after it was sent" ? response.destroy() : false);
    await expect(clientWith({ routes, journal: dying }).chat(asked)).rejects.toThrow();
    const before = [...node.payments];
    const signatures = signer.signed.length;
    signer.before = () => undefined;
    node.paid = () => false;
    // Later, when another deadline would be signed.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5_000 });
    const reply = await clientWith({ routes, journal }).chat(asked);
    expect(reply.verification).toBe("verified");
    // What was signed before is signed again, or is not signed again.
    const signed = new Set(signer.signed.map((data) => JSON.stringify(data)));
    expect([signed.size, signatures <= 1]).toEqual([1, true]);
    expect(new Set([...before, ...node.payments].map(signedIn)).size).toBe(1);
  });

  it("is brought again under a quote of now, as it was signed, by who knows nothing of it", async () => {
    const journal = memoryJournal();
    node.paid = (response) => response.destroy();
    await expect(clientWith({ journal }).chat(asked)).rejects.toEqual(coded("payment.unanswered"));
    let isOld = true;
    node.paid = (response) => {
      if (!isOld) return false;
      isOld = false;
      return response.writeHead(402, { "payment-required": node.offers() }).end("{}");
    };
    // Whatever routes it would pay by now.
    const reply = await clientWith({ journal, routes: ["exact"] }).chat(asked);
    expect(reply.verification).toBe("verified");
    expect([signer.signed.length, new Set(node.payments.map(signedIn)).size]).toEqual([1, 1]);
    const macs = node.payments.map((header) => read(header).accepted.extra.haca.mac);
    expect([macs[0] === macs[1], macs[1] === macs[2]]).toEqual([true, false]);
  });

  it("goes to the node that was paid, and to no other; another request is refused", async () => {
    const journal = memoryJournal();
    await clientWith({ journal }).chat(asked);
    const other = await SellingNode.start();
    try {
      const haca = clientWith({ journal }, [other.url]);
      expect((await haca.chat(asked)).node).toBe(new URL(node.url).host);
      await expect(haca.chat({ ...asked, parameters: { seed: 1 } })).rejects.toEqual(
        coded("payment.otherRequest"),
      );
      expect([other.asked, signer.signed.length]).toEqual([0, 1]);
    } finally {
      other.stop();
    }
  });

  it("is one payment where it is asked for twice at once", async () => {
    const payer = payerWith();
    const pay: typeof payer.pay = async (demand) => {
      const [one, other] = await Promise.all([payer.pay(demand), payer.pay(demand)]);
      expect(signedIn(other.header)).toBe(signedIn(one.header));
      return one;
    };
    const twice = { ...payer, pay };
    const haca = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], payer: twice });
    expect((await haca.chat(asked)).verification).toBe("verified");
    expect([signer.signed.length, node.payments.length]).toEqual([1, 1]);
  });
});

/** What of a payment was signed, with the signature. */
const signedIn = (header: string): string => JSON.stringify(read(header).payload);
