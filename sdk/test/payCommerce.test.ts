import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { commerceNonce, commerceSalt, paymentForOffer } from "@haca/protocol/commercePayments";
import { toClientEvmSigner } from "@x402/evm";
import { AuthCaptureEvmScheme } from "@x402/evm/auth-capture/client";
import { concat, dataSlice, getBytes, keccak256 } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import type { HacaOptions } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import type { Deployment } from "../src/deployment.ts";
import { createPayer, type PayerOptions } from "../src/pay/createPayer.ts";
import { memoryJournal, type PaymentJournal } from "../src/pay/journal.ts";
import { CHAIN_ID, PINS } from "./support/chatNode.ts";
import {
  CountingSigner,
  type Greed,
  OPERATOR,
  PAYEE,
  PAYMENT_PINS,
  PRICE,
  PUBLIC_ESCROW,
  read,
  SellingNode,
  TRANSACTION,
} from "./support/sellingNode.ts";

const OTHER = `0x${"99".repeat(20)}`;
const DAY = 86_400;
const QUESTION: ChatOptions = { model: "m", messages: [{ role: "user", content: "hi" }] };
const KEYED = { ...QUESTION, idempotencyKey: "k".repeat(16) };
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
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
afterAll(() => node.stop());

const clientWith = (options: Partial<PayerOptions> = {}, rest: Partial<HacaOptions> = {}) =>
  createHaca({
    ...{ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], ...rest },
    payer: createPayer({
      ...{ signer, pins: PAYMENT_PINS, routes: ["commerce"], journal: memoryJournal() },
      ...{ maxPerCall: PRICE, maxPerSession: PRICE, ...options },
    }),
  });
/** A deployment that names the node. */
const deploymentOf = ({ price }: { price: bigint }): Deployment => ({
  ...{ chainId: String(CHAIN_ID), settlement: PINS.settlements?.[0]?.settlement ?? "", models: {} },
  nodes: [{ url: new URL(node.url), answers: "chat", operator: undefined, price }],
});
const coded = (code: string) => expect.objectContaining({ code });

describe("a payer by commerce", () => {
  it("has an answer's price held by the public escrow, for the pinned operator", async () => {
    const { payment, receipt, verification } = await clientWith().chat(QUESTION);
    expect(verification).toBe("verified");
    expect(payment).toMatchObject({
      ...{ route: "commerce", escrow: PUBLIC_ESCROW.toLowerCase(), operator: OPERATOR },
      ...{ payee: PAYEE, most: String(PRICE), transaction: TRANSACTION },
    });
    const { accepted, payload } = read(node.payments[0]);
    expect([payload.authorization.nonce, payload.authorization.validBefore]).toEqual([
      ...[payment?.nonce, payment?.validUntil],
    ]);
    expect(receipt?.hints).toEqual({
      ...{ paymentRoute: "commerce", paymentOperator: OPERATOR, paymentNonce: payment?.nonce },
      ...{ paymentEscrow: PUBLIC_ESCROW.toLowerCase(), paymentTransaction: TRANSACTION },
      paymentToken: PAYMENT_PINS.token.address,
    });
    // The payment that a gateway makes of its own offer has this hash.
    const { requestHash } = accepted.extra.haca;
    const salt = commerceSalt({ requestHash, saltNonce: BigInt(payload.saltNonce) });
    const preApprovalExpiry = BigInt(payload.authorization.validBefore);
    const made = paymentForOffer({ offer: accepted, payer: OTHER, preApprovalExpiry, salt });
    const domain = { chainId: BigInt(CHAIN_ID), escrow: PUBLIC_ESCROW };
    expect(payload.authorization.nonce).toBe(commerceNonce(domain, made));
  });

  it.each(COMMERCE_DEPLOYMENTS)(
    "signs what a stock client signs in version $version",
    async ({ escrow }) => {
      node.greed = {
        offer: ({ extra }) => ({ extra: { ...(extra as object), authCaptureEscrow: escrow } }),
      };
      await clientWith().chat(QUESTION);
      const { accepted, payload } = read(node.payments[0]);
      const signedAt = Number(payload.authorization.validBefore) - accepted.maxTimeoutSeconds;
      vi.useFakeTimers({ toFake: ["Date"], now: signedAt * 1000 });
      vi.spyOn(crypto, "getRandomValues").mockImplementation((bytes) => {
        (bytes as unknown as Uint8Array).set(getBytes(payload.saltNonce));
        return bytes;
      });
      const account = privateKeyToAccount(signer.privateKey as `0x${string}`);
      const stock = new AuthCaptureEvmScheme(toClientEvmSigner(account));
      const made = await stock.createPaymentPayload(2, accepted);
      expect(payload).toEqual(JSON.parse(JSON.stringify(made.payload).toLowerCase(), camel));
    },
  );
});

describe("a payer in another token than OPG", () => {
  const USDC = `0x${"68".repeat(20)}`;
  const pins = { ...PAYMENT_PINS, token: { address: USDC, name: "USD Coin", version: "2" } };
  const inUsdc: Greed = {
    quote: () => ({ token: USDC }),
    offer: ({ extra }) => ({
      ...{ asset: USDC, extra: { ...(extra as object), name: "USD Coin", version: "2" } },
    }),
  };
  /** As gateways have it: eight bytes that begin no others, and 24 of the hash of token and salt. */
  const saltFor = (token: string) => (salt: string) =>
    concat(["0x4fbbcef7d1c038ff", dataSlice(keccak256(concat([token, salt])), 0, 24)]);

  it("takes the salt that is made of its own and of the token, also again and of a stream", async () => {
    node.greed = inUsdc;
    node.saltedBy = saltFor(USDC);
    const journal = memoryJournal();
    const reply = await clientWith({ pins, journal }).chat(KEYED);
    expect([reply.verification, reply.payment?.token]).toEqual(["verified", USDC]);
    const { salt = "" } = (reply.receipt?.core.input ?? {}) as { salt?: string };
    expect([salt.slice(0, 18), reply.payment?.requestSalt]).toEqual(["0x4fbbcef7d1c038ff", salt]);
    const again = await clientWith({ pins, journal }).chat(KEYED);
    expect([again.payment, signer.signed.length]).toEqual([reply.payment, 1]);
    const stream = clientWith({ pins }).streamChat(QUESTION);
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next.value.verification).toBe("verified");
  });

  it("asks nodes whatever they are said to cost in OPG", async () => {
    node.greed = inUsdc;
    const listed = { nodes: [], deployment: deploymentOf({ price: 10n ** 18n }) };
    const haca = clientWith({ pins }, listed);
    expect((await haca.chat(QUESTION)).payment?.token).toBe(USDC);
    await expect(clientWith({}, listed).chat(QUESTION)).rejects.toEqual(coded("option.wrong"));
  });

  it("takes no other salt: neither of another token, nor another's, nor in OPG", async () => {
    node.greed = inUsdc;
    for (const saltedBy of [saltFor(OTHER), withOtherEnd, () => saltFor(USDC)(OTHER)]) {
      node.saltedBy = saltedBy;
      await expect(clientWith({ pins }).chat(QUESTION)).rejects.toEqual(
        coded("payment.wrongRequest"),
      );
    }
    expect(signer.signed).toEqual([]);
    // Quoted with its own salt, and answered with another.
    let isQuoted = false;
    node.saltedBy = (salt) => {
      const isAnswer = isQuoted;
      isQuoted = true;
      return isAnswer ? saltFor(USDC)(salt) : salt;
    };
    await expect(clientWith({ pins }).chat(QUESTION)).rejects.toMatchObject({
      ...{ code: "answer.unexpected", details: { field: "salt" } },
    });
  });
});

/** A reader of JSON in small letters, for the names that have others. */
function camel(this: object, _key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const names = ["saltNonce", "validAfter", "validBefore"];
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [
      names.find((known) => known.toLowerCase() === name) ?? name,
      held,
    ]),
  );
}

describe("what is not as pinned is refused before anything is signed", () => {
  const inDays = (days: number): number => Math.floor(Date.now() / 1000) + days * DAY;
  const quote = (fields: object): Greed => ({ quote: () => ({ ...fields }) });
  const offer = (fields: object): Greed => ({ offer: () => ({ ...fields }) });
  const extra = (fields: (own: Record<string, string>) => object): Greed => ({
    offer: ({ extra: own }) => ({
      extra: { ...(own as object), ...fields(own as Record<string, string>) },
    }),
  });
  it.each<[string, Greed, string]>([
    ["another operator", offer({ payTo: OTHER }), "wrongPayTo"],
    ["somebody else to capture", extra(() => ({ captureAuthorizer: OTHER })), "wrongPayTo"],
    [
      "another operator, who captures",
      {
        offer: (own) => ({
          ...extra(() => ({ captureAuthorizer: OTHER })).offer?.(own),
          payTo: OTHER,
        }),
      },
      "wrongPayTo",
    ],
    ["an escrow of its own", extra(() => ({ authCaptureEscrow: OTHER })), "wrongEscrow"],
    ["no escrow", extra(() => ({ authCaptureEscrow: undefined })), "malformed"],
    [
      "the first end of another request",
      extra(({ receiverAuthorizer = "" }) => ({
        receiverAuthorizer: withOtherEnd(receiverAuthorizer),
      })),
      "wrongRequest",
    ],
    [
      "the last end of another request",
      extra(({ policy = "" }) => ({ policy: withOtherEnd(policy) })),
      "wrongRequest",
    ],
    ["no request", extra(() => ({ policy: `0x${"00".repeat(20)}` })), "wrongRequest"],
    ["a fee at least", extra(() => ({ minFeeBps: 1 })), "wrongTerms"],
    ["a fee at most", extra(() => ({ maxFeeBps: 1 })), "wrongTerms"],
    ["somebody to have a fee", extra(() => ({ feeRecipient: OTHER })), "wrongTerms"],
    [
      "to capture for a month",
      extra(() => ({ captureDeadline: inDays(30), refundDeadline: inDays(30) })),
      "wrongTerms",
    ],
    ["to give back for a month", extra(() => ({ refundDeadline: inDays(30) })), "wrongTerms"],
    ["to give back before", extra(() => ({ refundDeadline: inDays(1) })), "wrongTerms"],
    [
      "to capture before it is opened",
      extra(() => ({ captureDeadline: inDays(0) + 200, refundDeadline: inDays(0) + 200 })),
      "wrongTerms",
    ],
    ["a deadline that is none", extra(() => ({ captureDeadline: "soon" })), "malformed"],
    ["a permit", extra(() => ({ assetTransferMethod: "permit2" })), "noRoute"],
    ["another domain", extra(() => ({ name: "OPG2" })), "wrongDomain"],
    ["another version of the domain", extra(() => ({ version: "2" })), "wrongDomain"],
    ["another token", offer({ asset: OTHER }), "wrongToken"],
    ["another chain", offer({ network: "eip155:1" }), "wrongNetwork"],
    ["no time", offer({ maxTimeoutSeconds: 0 }), "expired"],
    ["more than was quoted", offer({ amount: "5001" }), "wrongQuote"],
    [
      "more than the most",
      { ...offer({ amount: "5001" }), ...quote({ amount: "5001" }) },
      "tooMuch",
    ],
    ["another token in the quote", quote({ token: OTHER }), "wrongQuote"],
    ["another request", quote({ requestHash: `0x${"77".repeat(32)}` }), "wrongRequest"],
    ["another payee", quote({ payee: OTHER }), "wrongPayee"],
    ["results of another node", quote({ node: OTHER }), "wrongNode"],
    ["results of anybody", quote({ kinds: 128 }), "wrongTerms"],
    ["no results", quote({ kinds: 0 }), "wrongTerms"],
    ["a time that is over", quote({ expiresAt: inDays(0) - 1 }), "expired"],
  ])("a node that wants %s", async (_what, greed, code) => {
    node.greed = greed;
    await expect(clientWith().chat(QUESTION)).rejects.toEqual(coded(`payment.${code}`));
    expect([signer.signed, node.asked]).toEqual([[], 1]);
  });

  it("an operator that nobody has pinned, and a payer without a journal", () => {
    const { operators: _none, ...pins } = PAYMENT_PINS;
    expect(() => clientWith({ pins })).toThrow(/^pins\.operators: /);
    expect(() => clientWith({ pins: { ...pins, operators: ["0x1"] } })).toThrow(
      /^pins\.operators: must be an address/,
    );
    expect(() => clientWith({ journal: undefined } as never)).toThrow(/^journal: /);
  });

  it("an offer of a route that the payer has not is not even read", async () => {
    node.greed = extra(() => ({ facilitatorAddress: "none" }));
    expect((await clientWith().chat(QUESTION)).payment?.route).toBe("commerce");
  });
});

describe("the same request under the same key", () => {
  const later = (seconds: number): void =>
    void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });

  /** A payer that dies after it has asked for a signature, or after it has noted one. */
  async function dead(journal: PaymentJournal, hasNoted: boolean): Promise<void> {
    const replace = async (name: string, text: string) => {
      if (hasNoted) await journal.replace(name, text);
      throw new Error("died");
    };
    const dying = clientWith({ journal: { ...journal, replace } });
    await expect(dying.chat(KEYED)).rejects.toEqual(coded("payment.notNoted"));
    expect([signer.signed.length, node.payments]).toEqual([1, []]);
  }

  it("whose signature was noted is the same payment however late, and no other is signed", async () => {
    const journal = memoryJournal();
    await dead(journal, true);
    later(90);
    node.paid = (response) =>
      response.writeHead(402, { "payment-required": node.offers() }).end("{}");
    await expect(clientWith({ journal }).chat(KEYED)).rejects.toEqual(coded("payment.askedAgain"));
    expect([signer.signed.length, node.payments.length]).toEqual([1, 1]);
  });

  it("whose signature never left is paid by an offer of now once the noted one is over, and once", async () => {
    const journal = memoryJournal();
    await dead(journal, false);
    later(90);
    const reply = await clientWith({ journal }).chat(KEYED);
    expect(reply.verification).toBe("verified");
    await clientWith({ journal }).chat(KEYED);
    expect(new Set(node.payments).size).toBe(1);
    expect([signer.signed.length, node.payments.length]).toEqual([2, 2]);
  });

  it("is not paid by an offer of another node that was noted for this one", async () => {
    const journal = memoryJournal();
    await dead(journal, false);
    const other = await SellingNode.start();
    try {
      other.sold = node.sold;
      const haca = createHaca({
        ...{ chainId: CHAIN_ID, pins: PINS, nodes: [other.url] },
        payer: createPayer({
          ...{ signer, pins: PAYMENT_PINS, routes: ["commerce"], journal },
          ...{ maxPerCall: PRICE, maxPerSession: PRICE },
        }),
      });
      await haca.chat(KEYED);
      expect([other, node].map(({ payments }) => payments.length)).toEqual([1, 0]);
      expect(read(other.payments[0]).resource).toEqual({ url: other.url });
    } finally {
      other.stop();
    }
  });
});
