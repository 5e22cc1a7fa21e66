import { createHmac, randomBytes } from "node:crypto";
import { KEY_BYTES, NONCE_BYTES, seal } from "./chacha20Poly1305.ts";
import type { OpenedRequest } from "./openRequest.ts";

const RESPONSE = "message/bhttp response";
const CHUNKED = "message/bhttp chunked response";
const RESPONSE_NONCE_BYTES = 32;
const NOTHING = new Uint8Array();
const FINAL = new TextEncoder().encode("final");

/** An answer in one piece, sealed for whoever sealed the request. */
export async function sealAnswer(request: OpenedRequest, text: Uint8Array): Promise<Uint8Array> {
  const { key, nonce, responseNonce } = await keysFor(request, RESPONSE);
  return join(responseNonce, seal({ key, nonce, text, associated: NOTHING }));
}

/** An answer by chunks: `start`, then any number of chunks, then `end`, without which the client believes none of it. */
export class ChunkSealer {
  readonly start: Uint8Array;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  #counter = 0n;

  private constructor({ key, nonce, responseNonce }: AnswerKeys) {
    this.start = responseNonce;
    this.#key = key;
    this.#nonce = nonce;
  }

  static async for(request: OpenedRequest): Promise<ChunkSealer> {
    return new ChunkSealer(await keysFor(request, CHUNKED));
  }

  chunk(text: Uint8Array): Uint8Array {
    const sealed = this.#seal(text, NOTHING);
    return join(varint(sealed.length), sealed);
  }

  end(): Uint8Array {
    return join(varint(0), this.#seal(NOTHING, FINAL));
  }

  #seal(text: Uint8Array, associated: Uint8Array): Uint8Array {
    const nonce = Buffer.from(this.#nonce);
    const low = nonce.length - 8;
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(low) ^ this.#counter, low);
    this.#counter += 1n;
    return seal({ key: this.#key, nonce, text, associated });
  }
}

type AnswerKeys = { key: Uint8Array; nonce: Uint8Array; responseNonce: Uint8Array };

/** Key and nonce as in RFC 9458, section 4.4, but that the response's nonce has 32 bytes. */
async function keysFor(request: OpenedRequest, use: string): Promise<AnswerKeys> {
  const responseNonce = Uint8Array.from(randomBytes(RESPONSE_NONCE_BYTES));
  const secret = await request.secretFor(use);
  const extracted = hmac(join(request.encapsulated, responseNonce), secret);
  return {
    key: expand(extracted, "key", KEY_BYTES),
    nonce: expand(extracted, "nonce", NONCE_BYTES),
    responseNonce,
  };
}

const hmac = (key: Uint8Array, text: Uint8Array): Buffer =>
  createHmac("sha256", key).update(text).digest();

/** HKDF-Expand (RFC 5869) for what fits into its first block. */
const expand = (extracted: Uint8Array, info: string, bytes: number): Uint8Array =>
  Uint8Array.from(hmac(extracted, Buffer.concat([Buffer.from(info), Uint8Array.of(1)]))).subarray(
    0,
    bytes,
  );

/** An integer of variable length as in QUIC (RFC 9000, section 16). */
export function varint(value: number): Uint8Array {
  for (const [size, bits] of [
    [1, 6],
    [2, 14],
    [4, 30],
  ] as const) {
    if (value >= 2 ** bits) continue;
    const bytes = Buffer.alloc(size);
    bytes.writeUIntBE(value, 0, size);
    bytes[0] = (bytes[0] ?? 0) | (Math.log2(size) << 6);
    return Uint8Array.from(bytes);
  }
  throw new RangeError(`${value} does not fit a length`);
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
