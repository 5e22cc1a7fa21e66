import { bufferOf, bytesOf } from "@haca/protocol/bufferSources";
import {
  type AeadEncryptionContext,
  AeadId,
  type AeadInterface,
  CipherSuite,
  DhkemX25519HkdfSha256,
  HkdfSha256,
} from "@hpke/core";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

/** Of a key of the cipher, and of its nonces. */
export const [KEY_BYTES, NONCE_BYTES] = [32, 12] as const;
const TAG_BYTES = 16;

/** For the HPKE library, whose own ciphers are those of WebCrypto, which has not this one. */
class ChaCha20Poly1305 implements AeadInterface {
  readonly id = AeadId.Chacha20Poly1305;
  readonly keySize = KEY_BYTES;
  readonly nonceSize = NONCE_BYTES;
  readonly tagSize = TAG_BYTES;

  createEncryptionContext(given: ArrayBufferLike | ArrayBufferView): AeadEncryptionContext {
    const key = bytesOf(given);
    const cipher = (nonce: ArrayBufferLike | ArrayBufferView, aad: typeof nonce) =>
      chacha20poly1305(key, bytesOf(nonce), bytesOf(aad));
    return {
      seal: async (nonce, text, aad) => bufferOf(cipher(nonce, aad).encrypt(bytesOf(text))),
      open: async (nonce, sealed, aad) => bufferOf(cipher(nonce, aad).decrypt(bytesOf(sealed))),
    };
  }
}

/** The one suite that there is: X25519 with HKDF-SHA256, HKDF-SHA256, ChaCha20-Poly1305. */
export const hpke = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new ChaCha20Poly1305(),
});
