import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ByteReader, joined } from "./byteReader.ts";
import { hpke, KEY_BYTES, NONCE_BYTES } from "./suite.ts";

/** RFC 9458 as the public network has it: JSON in place of binary HTTP, and a response's nonce of 32 bytes. */
const REQUEST_INFO = "message/bhttp request\0";
const WHOLE = "message/bhttp response";
const CHUNKED = "message/bhttp chunked response";
const [SECRET_BYTES, RESPONSE_NONCE_BYTES] = [32, 32];
const NOTHING = new Uint8Array();
const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new TextEncoder().encode(text));
const FINAL = bytesOf("final");

/** A request that one enclave can open, and what opens the answers to it, and to no other one. */
export type SealedRequest = {
  bytes: Uint8Array<ArrayBuffer>;
  /**
   * An answer in one piece. Throws for anything that was not sealed for this request.
   * @param limit bytes of the answer at most
   */
  openWhole: (answer: AsyncIterable<Uint8Array>, limit: number) => Promise<Uint8Array>;
  /**
   * The same by chunks, each as soon as it is here. Throws where a chunk is not the next one, where the final one is missing, and for
   * anything behind it: what came before is then worth nothing.
   */
  openChunks: (answer: AsyncIterable<Uint8Array>, limit: number) => AsyncGenerator<Uint8Array>;
};

/** Throws where there is no such key here. */
export const requireSuite = async (): Promise<void> => void (await hpke.kem.generateKeyPair());

/**
 * A file of its own, loaded where something is sealed, which imports nothing of a client: what both had would be cut off into a file more.
 * @param to key that somebody has vouched for as the enclave's, and the header that names it
 */
export async function sealRequest(
  { header, publicKey }: Readonly<Record<"header" | "publicKey", Uint8Array<ArrayBuffer>>>,
  text: string,
): Promise<SealedRequest> {
  const context = await hpke.createSenderContext({
    recipientPublicKey: await hpke.kem.deserializePublicKey(publicKey),
    info: joined([bytesOf(REQUEST_INFO), header]),
  });
  const sealed = new Uint8Array(await context.seal(bytesOf(text)));
  const enc = new Uint8Array(context.enc);

  async function keysFor(use: string, responseNonce: Uint8Array<ArrayBuffer>) {
    const exported = new Uint8Array(await context.export(bytesOf(use), SECRET_BYTES));
    const secret = await hmac(joined([enc, responseNonce]), exported);
    // HKDF-Expand (RFC 5869) of what fits into its first block.
    const expand = async (name: string, bytes: number) =>
      (await hmac(secret, joined([bytesOf(name), Uint8Array.of(1)]))).subarray(0, bytes);
    return { cipherKey: await expand("key", KEY_BYTES), nonce: await expand("nonce", NONCE_BYTES) };
  }

  return {
    bytes: joined([header, enc, sealed]),
    async openWhole(answer, limit) {
      const reader = new ByteReader(answer, limit);
      try {
        const keys = await keysFor(WHOLE, await reader.take(RESPONSE_NONCE_BYTES));
        return open({ ...keys, sealed: await reader.rest(), counter: 0 });
      } finally {
        await reader.end();
      }
    },
    async *openChunks(answer, limit) {
      const reader = new ByteReader(answer, limit);
      try {
        const keys = await keysFor(CHUNKED, await reader.take(RESPONSE_NONCE_BYTES));
        for (let counter = 0; ; counter += 1) {
          const length = await reader.varint();
          if (length === 0) {
            const last = open({ ...keys, sealed: await reader.rest(), counter, isFinal: true });
            if (last.length > 0) yield last;
            return;
          }
          yield open({ ...keys, sealed: await reader.take(length), counter });
        }
      } finally {
        await reader.end();
      }
    },
  };
}

async function hmac(
  secret: Uint8Array<ArrayBuffer>,
  text: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
}

function open(parameters: {
  cipherKey: Uint8Array;
  nonce: Uint8Array;
  sealed: Uint8Array;
  counter: number;
  isFinal?: boolean;
}): Uint8Array {
  const { cipherKey, counter, isFinal = false, sealed } = parameters;
  const nonce = Uint8Array.from(parameters.nonce);
  const view = new DataView(nonce.buffer);
  const low = NONCE_BYTES - 8;
  view.setBigUint64(low, view.getBigUint64(low) ^ BigInt(counter));
  return chacha20poly1305(cipherKey, nonce, isFinal ? FINAL : NOTHING).decrypt(sealed);
}
