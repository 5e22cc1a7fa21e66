import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { toClientEvmSigner } from "@x402/evm";
import { AuthCaptureEvmScheme } from "@x402/evm/auth-capture/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import {
  decodePaymentResponseHeader,
  wrapFetchWithPayment,
  x402Client,
  type x402ClientConfig,
} from "@x402/fetch";
import { TypedDataEncoder } from "ethers";
import { pino } from "pino";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { onTestFinished } from "vitest";
import type { PaidToken, PaymentSettings } from "../../src/payments/paymentSettings.ts";
import type { Price } from "../../src/payments/prices.ts";
import type { ResultSigner } from "../../src/profile/resultSigner.ts";
import { type RunningGateway, startGateway } from "../../src/startGateway.ts";
import {
  ANSWER,
  accepting,
  answering,
  DOMAIN,
  resultsIn,
  SIGNER,
  UPSTREAM,
  VERSION_ID,
} from "./bed.ts";
import { HttpServer } from "./httpServer.ts";

const NETWORK = "eip155:31337";
export const TOKEN = `0x${"22".repeat(20)}`;
export const OPG_TOKEN = {
  ...{ symbol: "OPG", address: TOKEN, name: "OPG", version: "1", decimals: 18 },
};
export const PAYEE = `0x${"33".repeat(20)}`;
export const ESCROW = `0x${"44".repeat(20)}`;
export const PRICE = 5_000n;
export const TRANSACTION = `0x${"ab".repeat(32)}`;
/** What is served; what it costs is each test's. */
const MODELS = new Map([
  ["m", VERSION_ID],
  ["n", VERSION_ID],
]);
export const QUESTION = { model: "m", messages: [{ role: "user", content: "hello" }] };

const DAY = 86_400;
/** What a facilitator says of an operator of the gateway's, in a token as the chain has it. */
export const operatorOf = ({ address: verifyingContract, decimals, name, version }: PaidToken) => ({
  ...{ node: nodeOfEnclave(SIGNER.teeId), payee: PAYEE, token: verifyingContract, decimals },
  ...{ feeBps: 0, kinds: 68, commerce: String(COMMERCE_DEPLOYMENTS[0]?.escrow), isServed: true },
  ...{ leastWindow: 5 * DAY, mostWindow: 30 * DAY },
  domainSeparator: TypedDataEncoder.hashDomain({
    ...{ name, version, chainId: 31_337n, verifyingContract },
  }),
});

/** What a facilitator was asked to settle. */
export type Settling = {
  paymentPayload: { payload: object; accepted: { extra: { haca: object } } };
  paymentRequirements: { scheme: string; payTo: string; amount: string };
};

/** Whose answers are paid for: a gateway between an upstream, a worker and a facilitator that do as the test says. */
export class PaidBed {
  readonly upstream: HttpServer;
  readonly worker: HttpServer;
  readonly facilitator: HttpServer;
  readonly folder = mkdtempSync(join(tmpdir(), "haca-paid-"));
  /** what the facilitator answers to the payments that it is asked to settle */
  settles: object = { success: true, transaction: TRANSACTION };
  /** with what it answers to answers of the profile legacy that it is to settle */
  takes = 202;
  /** what it says of operators of commerce payments, by their addresses; of others: there is none */
  readonly operators = new Map<string, object>();
  gateway!: RunningGateway;
  readonly #changes: Partial<PaymentSettings>;
  /** how long the worker is waited for */
  queueMs = 5_000;
  /** for how long a key for sealed requests is good after the next has been made */
  ohttpOverlapMs = 60_000;
  readonly log: string[] = [];

  readonly #signer: ResultSigner;

  private constructor(
    servers: HttpServer[],
    changes: Partial<PaymentSettings>,
    signer: ResultSigner,
  ) {
    this.#signer = signer;
    const [upstream, worker, facilitator] = servers as [HttpServer, HttpServer, HttpServer];
    this.upstream = upstream;
    this.worker = worker;
    this.facilitator = facilitator;
    this.#changes = changes;
  }

  /**
   * For one test.
   * @param signer with an RSA key: then its facilitator settles answers of the profile legacy, too
   */
  static async start(
    changes: Partial<PaymentSettings> = {},
    signer: ResultSigner = SIGNER,
  ): Promise<PaidBed> {
    const servers = [answering(ANSWER), accepting, accepting].map((it) => HttpServer.start(it));
    const bed = new PaidBed(await Promise.all(servers), changes, signer);
    bed.facilitator.handler = (response, { path }) => {
      const [, address] = /^\/operators\/(.*)$/.exec(path) ?? [];
      const operator = address && bed.operators.get(address);
      const answer = address === undefined ? bed.settles : (operator ?? {});
      const isNone = address !== undefined && operator === undefined;
      const status = path === "/settle_data" ? bed.takes : isNone ? 404 : 200;
      answering(path === "/supported" ? SUPPORTED : answer, status)(response, {} as never);
    };
    await bed.restart();
    onTestFinished(() => bed.stop());
    return bed;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await Promise.all([this.upstream, this.worker, this.facilitator].map((it) => it.stop()));
    rmSync(this.folder, { recursive: true });
  }

  /** Another process of the gateway, on the same folder. */
  async restart(): Promise<void> {
    await this.gateway?.stop();
    const models = new Map<string, Price>([["m", { amount: PRICE }]]);
    this.gateway = await startGateway({
      config: {
        ...{ signer: this.#signer, domain: DOMAIN, models: MODELS },
        ...{ enclave: undefined, operator: { host: "127.0.0.1", port: 0 } },
        facilitator:
          this.#signer === SIGNER ? undefined : { url: this.facilitator.url, withinMs: 5_000 },
        ohttpOverlapMs: this.ohttpOverlapMs,
        queue: { url: this.worker.url, secret: undefined, withinMs: this.queueMs },
        http: { host: "127.0.0.1", port: 0 },
        admission: { running: 8, waiting: 8, waitMs: 20_000 },
        limits: { body: 1 << 20, answerMs: 40_000, clientMs: 20_000 },
        ...{ stopMs: 20_000, logLevel: "trace" },
        answers: { maximumBytes: 1 << 20, folder: this.folder },
        upstream: { ...UPSTREAM, url: `${this.upstream.url}/v1` },
        payments: {
          ...{ chainId: 31_337n, network: NETWORK, routes: ["escrow", "exact"], payee: PAYEE },
          ...{ escrow: ESCROW, token: OPG_TOKEN },
          node: nodeOfEnclave(this.#signer.teeId),
          prices: { models, rate: undefined },
          ...{ facilitator: this.facilitator.url, kinds: 68, captureWindow: 518_400 },
          limits: { spend: undefined, failures: 20 },
          ...{ settleMs: 2_000, retryMs: 600_000, ...this.#changes },
        },
      },
      logger: pino({ level: "trace" }, { write: (line: string) => void this.log.push(line) }),
    });
  }

  /** Posts a question, paid or not. */
  post(
    body: object = QUESTION,
    headers: Record<string, string> = {},
    options: { paying?: typeof fetch; path?: string } = {},
  ): Promise<Response> {
    const { path = "chat/completions", paying = fetch } = options;
    return paying(`${this.gateway.url}/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  get settled(): Settling[] {
    return this.facilitator.received.flatMap(({ body, path }) =>
      path === "/settle" ? [JSON.parse(body) as Settling] : [],
    );
  }

  get results() {
    return this.worker.received.flatMap(({ body, path }) =>
      path === "/v1/results" ? resultsIn(body) : [],
    );
  }

  /** Payments that the worker was told to give back. */
  get cancelled(): { payer: string; nonce: string }[] {
    return this.worker.received.flatMap(({ body, path }) =>
      path === "/v1/payments/cancelled" ? [JSON.parse(body)] : [],
    );
  }
}

const SUPPORTED = {
  kinds: [
    { x402Version: 2, scheme: "exact", network: NETWORK },
    {
      ...{ x402Version: 2, scheme: "upto", network: NETWORK },
      extra: { haca: { escrow: ESCROW, feeBps: 250 } },
    },
  ],
};

const CLIENTS = {
  ...{ upto: UptoEvmScheme, exact: ExactEvmScheme, "auth-capture": AuthCaptureEvmScheme },
};

/** A stock client of x402 with a key of its own, which keeps the payments that it makes. */
export class Payer {
  readonly account: PrivateKeyAccount;
  /** headers of the payments that it made */
  readonly payments: string[] = [];
  readonly paying: typeof fetch;
  /** how it names what it pays for, by x402's extension `payment-identifier` */
  name: string | undefined;

  constructor(
    scheme: "upto" | "exact" | "auth-capture" = "upto",
    change: x402ClientConfig["paymentRequirementsSelector"] = (_, [first]) => first as never,
    account = privateKeyToAccount(generatePrivateKey()),
  ) {
    this.account = account;
    const signer = toClientEvmSigner(this.account);
    const client = new CLIENTS[scheme](signer);
    const configured = x402Client.fromConfig({
      schemes: [{ network: NETWORK, client }],
      spendControls: false,
      paymentRequirementsSelector: change,
    });
    const key = "payment-identifier";
    configured.registerExtension({
      key,
      enrichPaymentPayload: async (payload) => {
        if (this.name === undefined) return payload;
        const info = { required: false, id: this.name };
        return { ...payload, extensions: { ...payload.extensions, [key]: { info } } };
      },
    });
    this.paying = wrapFetchWithPayment(fetchNoting(this.payments), configured);
  }

  get address(): string {
    return this.account.address.toLowerCase();
  }

  /** The header of its last payment, to be sent again by whomever. */
  get last(): Record<string, string> {
    return { "payment-signature": this.payments.at(-1) ?? "" };
  }
}

/** A nonce that nobody draws. */
export const FORGED_NONCE = "4711471147114711";

/** What a thief has signed, in a payer's name. */
export function forgedBy(thief: Payer, payer: Payer): Record<string, string> {
  const text = Buffer.from(thief.last["payment-signature"] ?? "", "base64").toString();
  const payment = JSON.parse(text);
  const { permit2Authorization: permit } = payment.payload;
  Object.assign(permit, { from: payer.account.address, nonce: FORGED_NONCE });
  return { "payment-signature": Buffer.from(JSON.stringify(payment)).toString("base64") };
}

/** What a response says of its payment. */
export const paidBy = (response: Response) =>
  decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");

/** Status and code of a refusal. */
export async function refusalIn(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
}

/** A fetch that notes the payments it sends. */
export const fetchNoting =
  (payments: string[]): typeof fetch =>
  (input, init) => {
    // The library's own requests, of whatever realm.
    const headers = (input as Request).headers ?? new Headers(init?.headers);
    const payment = headers.get("payment-signature") ?? "";
    if (payment !== "") payments.push(payment);
    return fetch(input, init);
  };
