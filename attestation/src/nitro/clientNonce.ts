import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const PREFIX = utf8ToBytes("HACA client nonce 1");

/**
 * The nonce in a document that an enclave gives to a client who asked with 20 bytes: 32 bytes, a hash over a prefix and
 * what was asked. A registration's nonce has 20 bytes, so that no document which a client can get is ever one for a
 * registration; and still the client sees that the document was made for its question.
 */
export function clientNonce(asked: string | Uint8Array): string {
  const bytes = typeof asked === "string" ? hexToBytes(asked.replace(/^0x/, "")) : asked;
  return `0x${bytesToHex(keccak_256(concatBytes(PREFIX, bytes)))}`;
}
