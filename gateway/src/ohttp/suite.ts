import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { ChaCha20Poly1305 } from "./chacha20Poly1305.ts";

/** Numbers of the public network's one suite, from RFC 9180: X25519 with HKDF-SHA256, HKDF-SHA256, ChaCha20-Poly1305. */
export const SUITE = { kemId: 0x20, kdfId: 1, aeadId: 3 } as const;
/** Bytes of a public key, and of what a client encapsulates to it. */
export const PUBLIC_KEY_BYTES = 32;

export const hpke = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new ChaCha20Poly1305(),
});

/** Key id and suite: with them every request begins. */
export function headerOf(keyId: number): Uint8Array {
  const header = Buffer.alloc(7);
  header.writeUInt8(keyId, 0);
  header.writeUInt16BE(SUITE.kemId, 1);
  header.writeUInt16BE(SUITE.kdfId, 3);
  header.writeUInt16BE(SUITE.aeadId, 5);
  return Uint8Array.from(header);
}
