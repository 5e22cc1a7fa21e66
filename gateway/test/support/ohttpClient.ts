import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from "node:crypto";

/** HPKE and OHTTP of a client, written from RFC 9180, RFC 9458 and the public network's formats, beside the gateway's own. */

const CIPHER = "chacha20-poly1305";
const SPKI_X25519 = Buffer.from("302a300506032b656e032100", "hex");
const SUITE = Buffer.from("002000010003", "hex");
const NOTHING = Buffer.alloc(0);

const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  createHmac("sha256", key).update(Buffer.concat(parts)).digest();
/** For at most 32 bytes. */
const expand = (key: Uint8Array, info: Uint8Array, length: number): Buffer =>
  hmac(key, info, Uint8Array.of(1)).subarray(0, length);

class Labels {
  readonly #suite: Buffer;
  constructor(suite: Buffer) {
    this.#suite = suite;
  }
  extract(salt: Uint8Array, label: string, key: Uint8Array): Buffer {
    return hmac(salt, Buffer.from("HPKE-v1"), this.#suite, Buffer.from(label), key);
  }
  expand(key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
    const size = Uint8Array.of(length >> 8, length & 0xff);
    const whole = [size, Buffer.from("HPKE-v1"), this.#suite, Buffer.from(label), info];
    return expand(key, Buffer.concat(whole), length);
  }
}

/** A request that a client has sealed, and what opens the answers to it. */
export type Sealed = {
  bytes: Buffer;
  open: (answer: Uint8Array) => string;
  /** chunks of an answer; fails where it has no final one, or anything behind it */
  openChunks: (answer: Uint8Array) => string[];
};

/** Seals a text to a key as the public network's clients do. @param key of the registry */
export function sealRequest(key: { keyId: number; publicKey: string }, text: string): Sealed {
  const receiver = Buffer.from(key.publicKey.replace("0x", ""), "hex");
  const pair = generateKeyPairSync("x25519");
  const enc = pair.publicKey.export({ type: "spki", format: "der" }).subarray(SPKI_X25519.length);
  const publicKey = createPublicKey({
    ...{ key: Buffer.concat([SPKI_X25519, receiver]), format: "der", type: "spki" },
  } as const);
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey });
  const kem = new Labels(Buffer.from("KEM\0\x20", "latin1"));
  const extracted = kem.extract(NOTHING, "eae_prk", shared);
  const kemSecret = kem.expand(extracted, "shared_secret", Buffer.concat([enc, receiver]), 32);

  const header = Buffer.concat([Uint8Array.of(key.keyId), SUITE]);
  const info = Buffer.concat([Buffer.from("message/bhttp request\0"), header]);
  const labels = new Labels(Buffer.concat([Buffer.from("HPKE"), SUITE]));
  const context = Buffer.concat([
    Uint8Array.of(0),
    labels.extract(NOTHING, "psk_id_hash", NOTHING),
    labels.extract(NOTHING, "info_hash", info),
  ]);
  const secret = labels.extract(kemSecret, "secret", NOTHING);
  const sealKey = labels.expand(secret, "key", context, 32);
  const nonce = labels.expand(secret, "base_nonce", context, 12);
  const exporter = labels.expand(secret, "exp", context, 32);
  const cipher = createCipheriv(CIPHER, sealKey, nonce, { authTagLength: 16 });
  const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);

  const keysOf = (answer: Uint8Array, use: string) => {
    const exported = labels.expand(exporter, "sec", Buffer.from(use), 32);
    const prk = hmac(Buffer.concat([enc, answer.subarray(0, 32)]), exported);
    return { key: expand(prk, Buffer.from("key"), 32), iv: expand(prk, Buffer.from("nonce"), 12) };
  };
  return {
    bytes: Buffer.concat([header, enc, sealed]),
    open(answer) {
      const keys = keysOf(answer, "message/bhttp response");
      return openOne({ ...keys, sealed: answer.subarray(32), associated: "" });
    },
    openChunks(answer) {
      const { key: chunkKey, iv } = keysOf(answer, "message/bhttp chunked response");
      const chunks: string[] = [];
      let rest = answer.subarray(32);
      for (let counter = 0; ; counter += 1) {
        const own = Buffer.from(iv);
        own.writeUInt32BE((own.readUInt32BE(8) ^ counter) >>> 0, 8);
        const { length, size } = readVarint(rest);
        rest = rest.subarray(size);
        const sealedChunk = length === 0 ? rest : rest.subarray(0, length);
        if (sealedChunk.length < length) throw new Error("a chunk is cut off");
        const associated = length === 0 ? "final" : "";
        const opened = openOne({ key: chunkKey, iv: own, sealed: sealedChunk, associated });
        if (length === 0) {
          if (opened !== "") chunks.push(opened);
          return chunks;
        }
        chunks.push(opened);
        rest = rest.subarray(length);
      }
    },
  };
}

function openOne(parameters: {
  key: Uint8Array;
  iv: Uint8Array;
  sealed: Uint8Array;
  associated: string;
}): string {
  const { associated, iv, key, sealed } = parameters;
  const end = sealed.length - 16;
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(associated), { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]).toString();
}

function readVarint(bytes: Uint8Array): { length: number; size: number } {
  const [first] = bytes;
  if (first === undefined) throw new Error("there is no final chunk");
  const size = 1 << (first >> 6);
  if (bytes.length < size) throw new Error("a length is cut off");
  const value = Buffer.from(bytes.subarray(0, size)).readUIntBE(0, Math.min(size, 6));
  return { length: value - ((first >> 6) << 6) * 256 ** (size - 1), size };
}
