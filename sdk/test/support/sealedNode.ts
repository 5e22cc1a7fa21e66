import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { getBytes, hexlify } from "ethers";
import { configHash } from "../../../gateway/src/ohttp/keyRecord.ts";
import { OhttpKeys } from "../../../gateway/src/ohttp/ohttpKeys.ts";
import { openRequest } from "../../../gateway/src/ohttp/openRequest.ts";
import { ChunkSealer, sealAnswer } from "../../../gateway/src/ohttp/sealAnswer.ts";
import { SeenRequests } from "../../../gateway/src/ohttp/seenRequests.ts";
import { ChatNode, ENCLAVE, eventOf } from "./chatNode.ts";
import { type Endpoint, serve } from "./fakeChain.ts";

/** What a gateway, or who is on the way to it, does otherwise than an honest one. */
export type SealedLies = {
  /** what becomes of a sealed answer */
  sealed?: (bytes: Buffer) => Buffer;
  /** what it says that an answer is */
  type?: (type: string) => string;
  /** of the key that is shown, once it was signed */
  config?: (config: Record<string, unknown>) => unknown;
  /** who signs the key */
  signs?: SimulatedEnclave;
  /** done in place of an answer; false: nothing */
  instead?: (response: ServerResponse) => unknown;
};

const [WHOLE, CHUNKED] = ["message/ohttp-res", "message/ohttp-chunked-res"] as const;
const MALFORMED = '{"error":"malformed encapsulated request"}';
const STREAM = '"stream":true';

/** As gateways stream a refusal. */
function refusedStream(text: string, status: number): string {
  const { error } = JSON.parse(text);
  return eventOf({ error: { ...error, status } });
}

/** A gateway that takes oblivious requests, and a relay to it, in front of a node of the profile haca-1. */
export class SealedNode {
  readonly inner: ChatNode;
  keys: OhttpKeys;
  lies: SealedLies = {};
  /** requests for answers as they came from outside, by their path */
  readonly asked: { path: string; body: Buffer; headers: IncomingMessage["headers"] }[] = [];
  #endpoint: Endpoint | undefined;
  #seen = new SeenRequests(16);

  private constructor(inner: ChatNode, keys: OhttpKeys) {
    this.inner = inner;
    this.keys = keys;
  }

  static async start(): Promise<SealedNode> {
    const node = new SealedNode(await ChatNode.start(), await SealedNode.makeKeys());
    node.#endpoint = await serve([], (request, response) => void node.#answer(request, response));
    return node;
  }

  static makeKeys = (): Promise<OhttpKeys> =>
    OhttpKeys.make({ overlapMs: 0, clock: () => performance.now() });

  get url(): string {
    return this.#endpoint?.url ?? "";
  }

  stop(): void {
    this.#endpoint?.close();
    this.inner.stop();
  }

  reset(): void {
    this.inner.reset();
    this.lies = {};
    this.asked.length = 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    const page = this.inner.page;
    if (page !== undefined) {
      response.setHeader("access-control-allow-origin", page);
      response.setHeader("access-control-allow-headers", "content-type");
    }
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const body = await buffer(request);
    if (request.method === "GET") {
      const answer = await fetch(`${this.inner.url}${path}`);
      const words = await answer.text();
      if (path !== "/signing-key") return void response.end(words);
      return void response.end(JSON.stringify({ ...JSON.parse(words), hpke: this.#config() }));
    }
    this.asked.push({ path, body, headers: request.headers });
    const { instead, sealed = (bytes: Buffer) => bytes, type = (of: string) => of } = this.lies;
    if (instead !== undefined && instead(response) !== false) return;
    const opened = await openRequest({ bytes: body, keys: this.keys, seen: this.#seen }).catch(
      () => undefined,
    );
    if (opened === undefined) return void response.writeHead(400).end(MALFORMED);
    const asked = Buffer.from(opened.text).toString();
    const headers = { "haca-salt": hexlify(randomBytes(32)) };
    const chat = `${this.inner.url}/v1/chat/completions`;
    const answer = await fetch(chat, { method: "POST", body: asked, headers });
    const isStream = asked.includes(STREAM);
    const said = await answer.text();
    const text = isStream && !answer.ok ? refusedStream(said, answer.status) : said;
    response.setHeader("content-type", type(isStream ? CHUNKED : WHOLE));
    if (!isStream) {
      const whole = Buffer.from(await sealAnswer(opened, Buffer.from(text)));
      return void response.end(sealed(whole));
    }
    const sealer = await ChunkSealer.for(opened);
    const events = text.split(/(?<=\n\n)/).map((event) => sealer.chunk(Buffer.from(event)));
    response.end(sealed(Buffer.concat([sealer.start, ...events, sealer.end()])));
  }

  #config(): unknown {
    const { current } = this.keys;
    const { config = (shown: unknown) => shown, signs = ENCLAVE } = this.lies;
    return config({
      ...{ key_id: current.keyId, kem_id: current.kemId, kdf_id: current.kdfId },
      ...{ aead_id: current.aeadId, public_key: current.publicKey.slice(2) },
      key_config: Buffer.from(getBytes(current.keyConfig)).toString("base64"),
      signature: Buffer.from(signs.sign(configHash(ENCLAVE.teeId, current))).toString("base64"),
    });
  }
}
