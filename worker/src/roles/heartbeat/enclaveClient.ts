import { createPublicKey, type KeyObject } from "node:crypto";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:tls";
import { BaseError } from "@haca/protocol/baseError";
import type { FeedSource, SignedObservation } from "@haca/protocol/dataFeeds";
import { z } from "zod";

const TIMEOUT_MS = 15_000;
const MAXIMUM_ANSWER = 65_536;

const signature = z.string().regex(/^0x([0-9a-fA-F]{2}){64,512}$/, "must be a signature in hex");
const teeId = z.string().regex(/^0x[0-9a-f]{64}$/, "must be 32 bytes of hex");
const heartbeatSchema = z.object({
  teeId,
  timestamp: z
    .string()
    .regex(/^\d{1,15}$/, "must be unix seconds")
    .transform(BigInt),
  signature,
});
const signingKeySchema = z.object({ public_key: z.string() });
const certificationSchema = z.object({ teeId, signature });

/** What a data node saw, as enclaves and other nodes answer it. Whether it is worth anything is for the contract to say. */
export const observationSchema = z.object({
  teeId,
  value: z
    .string()
    .regex(/^-?\d{1,58}$/, "must be an integer")
    .transform(BigInt)
    .refine((value) => BigInt.asIntN(192, value) === value, { error: "must fit 192 bits" }),
  observedAt: z
    .string()
    .regex(/^\d{1,15}$/, "must be unix seconds")
    .transform(BigInt),
  signature,
});

const suiteId = z.int().min(0).max(0xffff);
const ohttpSchema = z.object({
  ...{ teeId, signature, keyId: z.int().min(0).max(0xff) },
  ...{ kemId: suiteId, kdfId: suiteId, aeadId: suiteId },
  publicKey: z.string().regex(/^0x[0-9a-f]{64}$/, "must be 32 bytes of hex"),
  keyConfig: z.string().regex(/^0x([0-9a-f]{2}){1,256}$/, "must be bytes of hex"),
});

/** An enclave's HPKE key for oblivious requests, signed with its own key. */
export type EnclaveOhttpKey = z.output<typeof ohttpSchema>;

/** A heartbeat, signed with the enclave's own key at the enclave's own time (unix seconds). */
export type EnclaveHeartbeat = z.output<typeof heartbeatSchema>;

/** What an enclave is asked to say about a session key. */
export type SessionStatement = {
  chainId: bigint;
  registry: string;
  key: string;
  /** false for a key that is for heartbeats alone; enclaves refuse the other kind unless they are set up for it */
  signsResults: boolean;
  until: bigint;
  counter: bigint;
};

/** The enclave does not answer, or not what was asked for. `code` is `enclave.unreachable` or `enclave.badAnswer`. */
export class EnclaveError extends BaseError {}

/**
 * The enclave's document for a nonce. Takes what gateways of the public network answer, base64 as text, and raw bytes.
 * @param parameters.nonce 20 bytes, 0x and 40 hex digits
 * @throws EnclaveError
 */
export async function fetchDocument(parameters: {
  url: string;
  nonce: string;
}): Promise<Uint8Array> {
  const url = at(parameters.url, `/enclave/attestation?nonce=${parameters.nonce.slice(2)}`);
  const bytes = await ask({ url, method: "GET" });
  const text = bytes.toString("latin1").trim();
  return new Uint8Array(/^[A-Za-z0-9+/]+=*$/.test(text) ? Buffer.from(text, "base64") : bytes);
}

/**
 * The enclave's signing key, SubjectPublicKeyInfo in DER. Takes the JSON of the public network's gateways, whose
 * `public_key` is PEM or DER in base64, and PEM or DER alone. Nothing vouches for it but the document.
 * @throws EnclaveError
 */
export async function fetchSigningKey(parameters: { url: string }): Promise<Uint8Array> {
  const url = at(parameters.url, "/signing-key");
  const bytes = await ask({ url, method: "GET" });
  try {
    const key = readPublicKey(keyFieldOf(bytes) ?? bytes);
    return new Uint8Array(key.export({ format: "der", type: "spki" }));
  } catch (cause) {
    throw badAnswer(url, "is no public key", cause);
  }
}

/** `public_key` of an answer in JSON; undefined for another form. */
function keyFieldOf(bytes: Buffer): Buffer | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  const { public_key } = signingKeySchema.parse(JSON.parse(bytes.toString("utf8")));
  return Buffer.from(public_key);
}

function readPublicKey(bytes: Buffer): KeyObject {
  const text = bytes.toString("latin1").trim();
  if (text.includes("-----BEGIN PUBLIC KEY-----")) return createPublicKey(text);
  const isBase64 = /^[A-Za-z0-9+/]+=*$/.test(text);
  const der = isBase64 ? Buffer.from(text, "base64") : bytes;
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/** @throws EnclaveError */
export async function fetchHeartbeat(parameters: { url: string }): Promise<EnclaveHeartbeat> {
  const url = at(parameters.url, "/enclave/heartbeat");
  return parse({ url, schema: heartbeatSchema, bytes: await ask({ url, method: "POST" }) });
}

/**
 * The enclave's signature under a session key, for `TEERegistry.certifySessionKey`.
 * @throws EnclaveError
 */
export async function fetchCertification(parameters: {
  url: string;
  session: SessionStatement;
}): Promise<string> {
  const { chainId, registry, key, signsResults, until, counter } = parameters.session;
  const url = at(parameters.url, "/enclave/session-key");
  const body = JSON.stringify({
    ...{ chainId: String(chainId), registry, key, signsResults },
    ...{ until: String(until), counter: String(counter) },
  });
  const bytes = await ask({ url, method: "POST", body });
  return parse({ url, schema: certificationSchema, bytes }).signature;
}

/**
 * The enclave's OHTTP key and its signature under it, for `TEERegistry.setOhttpConfig`.
 * @throws EnclaveError
 */
export async function fetchOhttpKey(parameters: {
  url: string;
  statement: { chainId: bigint; registry: string; deadline: bigint; counter: bigint };
}): Promise<EnclaveOhttpKey> {
  const { chainId, registry, deadline, counter } = parameters.statement;
  const url = at(parameters.url, "/enclave/ohttp-key");
  const body = JSON.stringify({
    ...{ chainId: String(chainId), registry },
    ...{ deadline: String(deadline), counter: String(counter) },
  });
  const bytes = await ask({ url, method: "POST", body });
  return parse({ url, schema: ohttpSchema, bytes });
}

/**
 * Has the enclave make the OHTTP key after one, where that is its current one still: asked twice, it makes one.
 * @throws EnclaveError
 */
export async function makeNextOhttpKey(parameters: { url: string; keyId: number }): Promise<void> {
  const url = at(parameters.url, "/enclave/ohttp-key/next");
  const body = JSON.stringify({ keyId: parameters.keyId });
  const bytes = await ask({ url, method: "POST", body });
  parse({ url, schema: ohttpSchema.omit({ signature: true }), bytes });
}

/**
 * What the enclave sees at a source now, signed for a feed.
 * @throws EnclaveError, also where the enclave does not get at the source
 */
export async function fetchObservation(parameters: {
  url: string;
  feed: { chainId: bigint; feeds: string; feedId: string; source: FeedSource; decimals: number };
}): Promise<SignedObservation> {
  const { chainId, feeds, feedId, source, decimals } = parameters.feed;
  const url = at(parameters.url, "/enclave/observation");
  const body = JSON.stringify({ chainId: String(chainId), feeds, feedId, ...source, decimals });
  const bytes = await ask({ url, method: "POST", body });
  return parse({ url, schema: observationSchema, bytes });
}

/**
 * The certificate that a server shows in the TLS handshake, DER. It may be self-signed, as enclaves' are: what vouches
 * for it is its hash in the enclave's document.
 * @throws EnclaveError
 */
export async function fetchTlsCertificate(parameters: {
  host: string;
  port: number;
}): Promise<Uint8Array> {
  const { host, port } = parameters;
  const url = `https://${host}:${port}`;
  return await new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const socket = connect({ host, port, rejectUnauthorized: false, ...servername });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.once("error", (cause) => reject(unreachable(url, cause)));
    socket.once("secureConnect", () => {
      const certificate = new Uint8Array(socket.getPeerCertificate().raw);
      socket.destroy();
      resolve(certificate);
    });
  });
}

function parse<Schema extends z.ZodType>(parameters: {
  url: URL;
  schema: Schema;
  bytes: Buffer;
}): z.output<Schema> {
  const { url, schema, bytes } = parameters;
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw badAnswer(url, "is not JSON", cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badAnswer(url, `${issue?.path.join(".")}: ${issue?.message}`);
}

/** Whoever answers in the enclave's place gains nothing: every answer is checked against document or key. */
async function ask(parameters: {
  url: URL;
  method: "GET" | "POST";
  body?: string;
}): Promise<Buffer> {
  const { url, method, body } = parameters;
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, { method, headers, signal, rejectUnauthorized: false }, resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  }).catch((cause: unknown) => {
    throw unreachable(url.origin, cause);
  });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAXIMUM_ANSWER) throw badAnswer(url, `is longer than ${MAXIMUM_ANSWER} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof EnclaveError ? cause : unreachable(url.origin, cause);
  }
  const bytes = Buffer.concat(chunks);
  if (answer.statusCode === 200) return bytes;
  const reason = bytes
    .toString("utf8")
    .replaceAll(/[^\x20-\x7e]+/g, " ")
    .slice(0, 200);
  throw badAnswer(url, `has status ${answer.statusCode}: ${reason}`);
}

const at = (base: string, path: string): URL => new URL(path, base);

const badAnswer = (url: URL, reason: string, cause?: unknown): EnclaveError =>
  new EnclaveError({
    code: "enclave.badAnswer",
    message: `enclave: the answer of ${url.origin}${url.pathname} ${reason}`,
    cause,
  });

const unreachable = (url: string, cause: unknown): EnclaveError =>
  new EnclaveError({
    code: "enclave.unreachable",
    message: `enclave: ${url} does not answer (${cause instanceof Error ? cause.message || cause.name : String(cause)})`,
    cause,
  });
