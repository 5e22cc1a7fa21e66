import { createCipheriv, createDecipheriv } from "node:crypto";
import { bufferOf, bytesOf } from "@haca/protocol/bufferSources";
import { type AeadEncryptionContext, AeadId, type AeadInterface } from "@hpke/core";

const CIPHER = "chacha20-poly1305";
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** ChaCha20-Poly1305 (RFC 8439): the sealed text with its tag behind it. */
export function seal(parameters: {
  key: Uint8Array;
  nonce: Uint8Array;
  text: Uint8Array;
  associated: Uint8Array;
}): Uint8Array {
  const { associated, key, nonce, text } = parameters;
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated, { plaintextLength: text.length });
  return Uint8Array.from(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]));
}

/** The opposite. @throws where it was not sealed so, or is shorter than its tag */
export function open(parameters: {
  key: Uint8Array;
  nonce: Uint8Array;
  sealed: Uint8Array;
  associated: Uint8Array;
}): Uint8Array {
  const { associated, key, nonce, sealed } = parameters;
  const end = sealed.length - TAG_BYTES;
  if (end < 0) throw new RangeError("shorter than its tag");
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated, { plaintextLength: end }).setAuthTag(sealed.subarray(end));
  return Uint8Array.from(
    Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]),
  );
}

/** The same for the HPKE library, whose own ciphers are those of WebCrypto, which has not this one. */
export class ChaCha20Poly1305 implements AeadInterface {
  readonly id = AeadId.Chacha20Poly1305;
  readonly keySize = KEY_BYTES;
  readonly nonceSize = NONCE_BYTES;
  readonly tagSize = TAG_BYTES;

  createEncryptionContext(given: ArrayBufferLike | ArrayBufferView): AeadEncryptionContext {
    const key = bytesOf(given);
    return {
      async seal(nonce, text, associated) {
        const [a, b, c] = [bytesOf(nonce), bytesOf(text), bytesOf(associated)];
        return bufferOf(seal({ key, nonce: a, text: b, associated: c }));
      },
      async open(nonce, sealed, associated) {
        const [a, b, c] = [bytesOf(nonce), bytesOf(sealed), bytesOf(associated)];
        return bufferOf(open({ key, nonce: a, sealed: b, associated: c }));
      },
    };
  }
}
