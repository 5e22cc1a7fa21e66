import type { IncomingMessage, ServerResponse } from "node:http";
import { Server as HttpsServer, type ServerOptions } from "node:https";
import { text } from "node:stream/consumers";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import {
  makeSigningKeys,
  SimulatedEnclave,
  type TlsPair,
} from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { CHAT_HEADERS } from "@haca/protocol/webOrigins";
import { concat, getBytes, hexlify, id, keccak256, sha256, toUtf8Bytes, ZeroAddress } from "ethers";
import type { Pins } from "../../src/pins.ts";
import { canonicalJson } from "../../src/receipt/canonicalJson.ts";
import { type Endpoint, SETTLEMENT, serve } from "./fakeChain.ts";

export const CHAIN_ID = 31_337n;
const DOMAIN = settlementDomain({ chainId: CHAIN_ID, settlement: SETTLEMENT });
const VERSION = id("version");
const now = (): bigint => BigInt(Math.floor(Date.now() / 1000));

const chain = makeSimulatedChain({ now: now() });
type EnclaveParts = Partial<ConstructorParameters<typeof SimulatedEnclave>[0]>;
const enclaveOf = (image: string, of = chain, parts: EnclaveParts = {}): SimulatedEnclave =>
  new SimulatedEnclave({
    chain: of,
    measurements: measurementsOf(image),
    kind: "p256",
    now: now(),
    ...parts,
  });
const keys = makeSigningKeys("p256");
/** The honest one, as it is with this certificate. */
export const enclaveWith = (tls: TlsPair): SimulatedEnclave =>
  enclaveOf("image", chain, { keys, tls });
const enclave = enclaveOf("image", chain, { keys });
export const ENCLAVE = enclave;
/** Whose requests the honest enclave's are. */
export const NODE = nodeOfEnclave(enclave.teeId);
/** Enclaves that vouch for nothing here: of an image that is not pinned, and under a root that is not. */
export const OTHERS = {
  image: enclaveOf("another image"),
  root: enclaveOf("image", makeSimulatedChain({ now: now() })),
  same: enclaveOf("image"),
};

export const PINS: Pins = {
  settlements: [{ chainId: String(CHAIN_ID), settlement: SETTLEMENT }],
  images: [pcrHashOf(measurementsOf("image"))],
  attestationRoot: sha256(chain.root),
  models: { m: { version: VERSION }, other: { version: id("another version") } },
};

type Fields = Record<string, unknown>;
type Haca = Fields & { message: Fields };
export type Answer = Fields & { choices: Fields[]; haca: Haca };

/** What a node does otherwise than an honest one. */
export type Lies = {
  /** what its enclave signs, in place of what it should */
  signed?: (message: Record<string, string>) => Record<string, string>;
  /** what becomes of the answer afterwards; of a stream, of its last frame */
  answer?: (answer: Answer) => unknown;
  /** of a stream's events, the last one `[DONE]` */
  events?: (events: string[]) => string[];
  /** whose key and document are shown */
  shows?: SimulatedEnclave;
  /** which one it is, in all that it shows and signs */
  enclave?: SimulatedEnclave;
  document?: (document: Uint8Array, asked: string) => Uint8Array;
  /** what a chat's answer waits for */
  until?: Promise<unknown>;
  /** what each event of a stream waits for, by its number */
  pace?: (index: number) => unknown;
  /** what is done in place of an answer; false: nothing */
  instead?: (response: ServerResponse, request: IncomingMessage) => unknown;
};

const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
/** What the model says to everything. */
export const TEXT = "Hello, wörld";
const halves = (text: string): string[] => [text.slice(0, 7), text.slice(7)];

/** What a model says in a choice. */
type Saying = { message: Fields & { tool_calls?: Fields[] }; finish_reason: string };
const PLAIN: Saying = { message: { role: "assistant", content: TEXT }, finish_reason: "stop" };

/** A node of the profile haca-1, in this process, that tells such lies as it is told. */
export class ChatNode {
  lies: Lies = {};
  /** the site whose pages may read its answers, as a gateway that names it lets them; none if left out */
  page: string | undefined;
  /** what the model says to a request; `TEXT` if left out */
  says: ((request: { messages: readonly Fields[] }) => Saying) | undefined;
  /** told of each chat request */
  onAsked = (): void => undefined;
  /** how often it was asked for its document, and for its key */
  documents = 0;
  keys = 0;
  /** chat requests as they came */
  readonly asked: { body: string; headers: IncomingMessage["headers"] }[] = [];
  #endpoint: Endpoint | undefined;
  #nonce = 0n;

  /** @param tls certificate and key, and other options of a server that listens by https; by http if left out */
  static async start(tls?: TlsPair & { options?: ServerOptions }): Promise<ChatNode> {
    const node = new ChatNode();
    node.#endpoint = await serve(
      [],
      (request, response) => void node.#answer(request, response),
      tls && { ...serverOptions(tls), ...tls.options },
    );
    return node;
  }

  /** Shows another certificate from now on, on connections that are made anew. */
  show(tls: TlsPair, options: ServerOptions = {}): void {
    const { server } = this.#endpoint ?? {};
    if (!(server instanceof HttpsServer)) throw new Error("this node shows no certificate");
    server.setSecureContext({ ...serverOptions(tls), ...options });
  }

  /** Ends each connection with its first answer. */
  keepNone(): void {
    if (this.#endpoint !== undefined) this.#endpoint.server.maxRequestsPerSocket = 1;
  }

  get url(): string {
    return this.#endpoint?.url ?? "";
  }

  stop(): void {
    this.#endpoint?.close();
  }

  /** Honest again, and with no memory. */
  reset(): void {
    this.lies = {};
    this.page = undefined;
    this.says = undefined;
    this.onAsked = () => undefined;
    this.asked.length = 0;
    this.documents = 0;
    this.keys = 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { document: change, enclave: own = enclave, instead, shows = own } = this.lies;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    if (this.page !== undefined) allowPage(response, this.page);
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (pathname === "/health") return void response.end("{}");
    if (pathname === "/signing-key") {
      this.keys += 1;
      return void response.end(JSON.stringify(keyOf(shows)));
    }
    if (pathname === "/enclave/attestation") {
      this.documents += 1;
      const asked = searchParams.get("nonce") ?? "";
      const nonce = getBytes(clientNonce(asked));
      const document = shows.attest({ now: now(), nonce });
      return void response.end(
        Buffer.from(change?.(document, asked) ?? document).toString("base64"),
      );
    }
    const body = await text(request);
    this.asked.push({ body, headers: request.headers });
    if (instead !== undefined && instead(response, request) !== false) return;
    this.onAsked();
    await this.lies.until;
    const salt = String(request.headers["haca-salt"]);
    if (JSON.parse(body).stream === true) {
      response.setHeader("content-type", "text/event-stream");
      const { pace } = this.lies;
      if (pace === undefined) return void response.end(this.#events(body, salt).join(""));
      for (const [index, event] of this.#events(body, salt).entries()) {
        await pace(index);
        response.write(event);
      }
      response.end();
    } else {
      const answer = { ...this.#whole(body, salt), id: "x", created: 1, surprise: "unsigned" };
      response.end(JSON.stringify(this.lies.answer?.(answer) ?? answer));
    }
  }

  #whole(body: string, salt: string): Answer {
    const said = this.says?.(JSON.parse(body)) ?? PLAIN;
    const answer = {
      ...{ model: "m-2026", system_fingerprint: null, usage: USAGE },
      choices: [{ index: 0, ...said }],
    };
    return { ...answer, haca: this.#sign(body, salt, answer) };
  }

  #events(body: string, salt: string): string[] {
    const { choices, haca, usage, ...rest } = this.#whole(body, salt);
    const { finish_reason: reason, message } = choices[0] as Saying;
    const common = { ...rest, id: "x", object: "chat.completion.chunk", created: 1 };
    const choice = (delta: Fields, reason: string | null = null) => ({
      ...common,
      choices: [{ index: 0, delta, finish_reason: reason }],
    });
    const last: Answer = { ...choice({}, reason), usage, haca };
    const calls = message.tool_calls?.map((call, index) => ({ index, ...call }));
    const deltas =
      calls === undefined
        ? halves(String(message.content)).map((content) => ({ role: "assistant", content }))
        : [{ role: "assistant", content: null }, { tool_calls: calls }];
    const events = [...deltas.map((delta) => choice(delta)), this.lies.answer?.(last) ?? last].map(
      eventOf,
    );
    const whole = [...events, DONE];
    return this.lies.events?.(whole) ?? whole;
  }

  #sign(body: string, salt: string, answer: Fields): Haca {
    const { enclave: own = enclave } = this.lies;
    this.#nonce += 1n;
    const honest = {
      modelVersion: VERSION,
      inputHash: keccak256(concat([salt, toUtf8Bytes(body)])),
      outputHash: id(canonicalJson(answer)),
      requester: ZeroAddress,
      requestId: encodeRequestId({ node: nodeOfEnclave(own.teeId), nonce: this.#nonce }),
      ...{ price: "0", timestamp: String(now()), teeId: own.teeId },
    };
    const message = this.lies.signed?.(honest) ?? honest;
    const result = { ...honest, ...message };
    const digest = hashResult({
      domain: DOMAIN,
      result: { ...result, price: BigInt(result.price), timestamp: BigInt(result.timestamp) },
    });
    const signature = hexlify(own.sign(digest));
    return {
      ...{ profile: "haca-1", salt, signature, message: result },
      ...{ chainId: String(CHAIN_ID), settlement: SETTLEMENT },
    };
  }
}

const serverOptions = ({ certificate, key }: TlsPair) => ({ key, cert: pemOf(certificate) });

function allowPage(response: ServerResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-headers", CHAT_HEADERS.asked.join());
  response.setHeader("access-control-expose-headers", CHAT_HEADERS.read.join());
}

export const DONE = "data: [DONE]\n\n";
export const eventOf = (frame: unknown): string => `data: ${JSON.stringify(frame)}\n\n`;

const keyOf = ({ signingKey }: SimulatedEnclave): object => {
  const base64 = Buffer.from(signingKey).toString("base64");
  return {
    public_key: `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`,
    session_key: null,
  };
};
