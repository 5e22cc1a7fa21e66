import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { toBytes } from "../../bytes.ts";
import type { SealingKey } from "../../chain/registeredNodes.ts";
import { ByteReader } from "./byteReader.ts";
import { hpke, KEY_BYTES, NONCE_BYTES, SUITE } from "./suite.ts";

/** RFC 9458 as the public network has it: JSON in place of binary HTTP, and a response's nonce of 32 bytes. */
const REQUEST_INFO = "message/bhttp request\0";
const WHOLE = "message/bhttp response";
const CHUNKED = "message/bhttp chunked response";
const [SECRET_BYTES, RESPONSE_NONCE_BYTES] = [32, 32];
const NOTHING = new Uint8Array();
const FINAL = utf8ToBytes("final");

/** A request that one enclave can open, and what opens the answers to it, and to no other one. */
export type SealedRequest = {
  bytes: Uint8Array<ArrayBuffer>;
  /** an answer in one piece. Throws for anything that was not sealed for this request */
  openWhole: (answer: Uint8Array) => Promise<Uint8Array>;
  /**
   * An answer by chunks, each as soon as it is here. Throws where a chunk is not the next one, where the final one is missing, and for
   * anything behind it: what came before is then worth nothing.
   * @param limit bytes of the answer at most
   */
  openChunks: (answer: AsyncIterable<Uint8Array>, limit: number) => AsyncGenerator<Uint8Array>;
};

/** @param key that somebody has vouched for as the enclave's */
export async function sealRequest(key: SealingKey, text: string): Promise<SealedRequest> {
  const header = headerOf(key.keyId);
  const context = await hpke.createSenderContext({
    recipientPublicKey: await hpke.kem.deserializePublicKey(
      Uint8Array.from(toBytes(key.publicKey)),
    ),
    info: concatBytes(utf8ToBytes(REQUEST_INFO), header),
  });
  const sealed = new Uint8Array(await context.seal(Uint8Array.from(utf8ToBytes(text))));
  const enc = new Uint8Array(context.enc);

  async function keysFor(use: string, responseNonce: Uint8Array) {
    const exported = await context.export(Uint8Array.from(utf8ToBytes(use)), SECRET_BYTES);
    const secret = extract(sha256, new Uint8Array(exported), concatBytes(enc, responseNonce));
    const of = (name: string, bytes: number) => expand(sha256, secret, utf8ToBytes(name), bytes);
    return { cipherKey: of("key", KEY_BYTES), nonce: of("nonce", NONCE_BYTES) };
  }

  return {
    bytes: Uint8Array.from(concatBytes(header, enc, sealed)),
    async openWhole(answer) {
      const keys = await keysFor(WHOLE, answer.subarray(0, RESPONSE_NONCE_BYTES));
      return open({ ...keys, sealed: answer.subarray(RESPONSE_NONCE_BYTES), counter: 0 });
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

/** Key id and suite: with them every request begins. */
function headerOf(keyId: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(7));
  header.setUint8(0, keyId);
  header.setUint16(1, SUITE.kemId);
  header.setUint16(3, SUITE.kdfId);
  header.setUint16(5, SUITE.aeadId);
  return new Uint8Array(header.buffer);
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
