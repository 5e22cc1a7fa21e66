import { concat, keccak256, toUtf8Bytes } from "ethers";

const PREFIX = toUtf8Bytes("HACA client nonce 1");

/**
 * The nonce in a document that an enclave gives to a client who asked with 20 bytes: 32 bytes, a hash over a prefix and
 * what was asked. A registration's nonce has 20 bytes, so that no document which a client can get is ever one for a
 * registration; and still the client sees that the document was made for its question.
 */
export const clientNonce = (asked: string | Uint8Array): string =>
  keccak256(concat([PREFIX, asked]));
