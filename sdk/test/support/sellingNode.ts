import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { endsOfRequest } from "@haca/protocol/commercePayments";
import { ESCROW_KINDS, escrowFacilitator } from "@haca/protocol/inferenceEscrow";
import { concat, hexlify, keccak256, randomBytes, toUtf8Bytes, Wallet } from "ethers";
import type { PaymentPins } from "../../src/pay/paymentPins.ts";
import { CHAIN_ID, ChatNode, NODE } from "./chatNode.ts";

const address = (digits: string): string => `0x${digits.repeat(20)}`;
export const ESCROW = address("44");
export const PAYEE = address("33");
export const OPERATOR = address("66");
export const PUBLIC_ESCROW = COMMERCE_DEPLOYMENTS[0]?.escrow ?? "";
export const PRICE = 5_000n;
/** From the end of a quote to the deadline of a payment into the public escrow. */
const COMMERCE_SECONDS = 600 + 518_400;
const TOKEN = address("22");
export const PAYMENT_PINS = {
  ...{ chainId: CHAIN_ID, escrow: ESCROW, payees: [PAYEE], operators: [OPERATOR] },
  token: { address: TOKEN, name: "OPG", version: "1" },
} satisfies PaymentPins;

type Fields = Record<string, unknown>;
type Quote = Parameters<typeof escrowFacilitator>[0]["terms"] & Fields;

/** What a node asks for otherwise than an honest one. */
export type Greed = {
  quote?: (quote: Quote) => Fields;
  offer?: (offer: Fields) => Fields;
  header?: (header: Fields) => unknown;
};

export const TRANSACTION = `0x${"ab".repeat(32)}`;
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** What is in a header of x402. */
export const read = (header: unknown) =>
  JSON.parse(Buffer.from(String(header), "base64").toString());

/** A node that sells its answers by all routes but channels, as gateways do. */
export class SellingNode {
  readonly #node: ChatNode;
  greed: Greed = {};
  /** what it does with whoever has paid; false: answers */
  paid: NonNullable<ChatNode["lies"]["instead"]> = () => false;
  /** headers of payments as they came */
  readonly payments: string[] = [];
  /** what it makes of a request's salt; nothing, as in OPG, if left out */
  saltedBy: (salt: string) => string = (salt) => salt;
  /** to whom it sells, and for how much, by what it signs */
  sold = { requester: "", price: String(PRICE) };

  private constructor(node: ChatNode) {
    this.#node = node;
  }

  static async start(...tls: Parameters<typeof ChatNode.start>): Promise<SellingNode> {
    const node = new SellingNode(await ChatNode.start(...tls));
    node.reset();
    return node;
  }

  get url(): string {
    return this.#node.url;
  }

  get lies(): ChatNode["lies"] {
    return this.#node.lies;
  }

  set lies(lies: ChatNode["lies"]) {
    this.#node.lies = { ...this.#node.lies, ...lies };
  }

  /** As of `ChatNode`; until the next `reset`. */
  set page(page: string) {
    this.#node.page = page;
  }

  /** How often it was asked for an answer, paid or not. */
  get asked(): number {
    return this.#node.asked.length;
  }

  stop(): void {
    this.#node.stop();
  }

  reset(): void {
    this.#node.reset();
    this.greed = {};
    this.paid = () => false;
    this.saltedBy = (salt) => salt;
    this.payments.length = 0;
    this.#node.lies = {
      signed: (message) => ({ ...message, ...this.sold }),
      instead: (response, request) => {
        const payment = request.headers["payment-signature"];
        if (payment === undefined) {
          response.writeHead(402, { "payment-required": this.offers() });
          return response.end(JSON.stringify({ error: { code: "payment.required" } }));
        }
        this.payments.push(String(payment));
        request.headers["haca-salt"] = this.saltedBy(String(request.headers["haca-salt"]));
        const said = base64({ success: true, transaction: TRANSACTION });
        response.setHeader("payment-response", said);
        return this.paid(response, request);
      },
    };
  }

  /** The header of a 402 to the last request. */
  offers(): string {
    const { body = "", headers = {} } = this.#node.asked.at(-1) ?? {};
    const salt = String(headers["haca-salt"]);
    const seconds = Math.floor(Date.now() / 1000);
    const honest: Quote = {
      ...{
        path: "chat/completions",
        amount: String(PRICE),
        token: TOKEN,
        node: NODE,
        payee: PAYEE,
      },
      requestHash: keccak256(concat([this.saltedBy(salt), toUtf8Bytes(body)])),
      ...{ feeBps: 250, kinds: Number(ESCROW_KINDS.tee | ESCROW_KINDS.teePage) },
      ...{ captureWindow: 518_400, expiresAt: seconds + 60, rate: null, rateAt: null, salt: null },
      mac: hexlify(randomBytes(32)).slice(2),
    } as never;
    const quote = { ...honest, ...this.greed.quote?.(honest) } as Quote;
    const offerOf = (scheme: string, rest: Fields, extra: Fields): Fields => {
      const offer = {
        ...{ scheme, network: `eip155:${CHAIN_ID}`, asset: TOKEN, amount: String(PRICE), ...rest },
        maxTimeoutSeconds: 300,
        extra: { name: "OPG", version: "1", paymentFlow: "upfront", ...extra, haca: quote },
      };
      return { ...offer, ...this.greed.offer?.(offer) };
    };
    const facilitatorAddress = escrowFacilitator({ escrow: ESCROW, terms: quote });
    const deadline = Number(quote.expiresAt) + COMMERCE_SECONDS;
    const commerce = {
      ...{ captureAuthorizer: OPERATOR, authCaptureEscrow: PUBLIC_ESCROW },
      ...endsOfRequest(quote.requestHash),
      ...{ captureDeadline: deadline, refundDeadline: deadline },
      ...{ minFeeBps: 0, maxFeeBps: 0, feeRecipient: address("00"), paymentFlow: "escrow" },
    };
    const accepts = [
      offerOf("upto", { payTo: ESCROW }, { facilitatorAddress }),
      offerOf("exact", { payTo: PAYEE }, {}),
      ...["permit2", "eip3009"].map((assetTransferMethod) =>
        offerOf("auth-capture", { payTo: OPERATOR }, { ...commerce, assetTransferMethod }),
      ),
    ];
    const header = { x402Version: 2, resource: { url: this.url }, accepts };
    return base64(this.greed.header?.(header) ?? header);
  }
}

/** An account that signs as ethers' do, and counts. */
export class CountingSigner {
  readonly #wallet = Wallet.createRandom();
  /** what was signed */
  readonly signed: unknown[] = [];
  /** done before each signature */
  before = (): void => undefined;

  get address(): string {
    return this.#wallet.address;
  }

  get privateKey(): string {
    return this.#wallet.privateKey;
  }

  /** As viem's accounts have it: one argument. */
  readonly signTypedData = async (data: {
    domain: object;
    types: object;
    message: object;
  }): Promise<string> => {
    this.before();
    this.signed.push(data);
    return await this.#wallet.signTypedData(data.domain, data.types as never, data.message);
  };
}
