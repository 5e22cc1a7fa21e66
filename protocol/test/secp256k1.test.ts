import { getBytes, hexlify, id, Signature, SigningKey, toBeHex, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { recoverKey, signDigest } from "../src/secp256k1.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ROUNDS = 50;

const pairs = Array.from({ length: ROUNDS }, (_, round) => ({
  key: new SigningKey(Wallet.createRandom().privateKey),
  digest: id(`digest ${round}`),
}));

it("signatures are those of ethers under the same keys", () => {
  for (const { digest, key } of pairs) {
    expect(signDigest(getBytes(key.privateKey), digest)).toBe(key.sign(digest).serialized);
  }
});

describe("the key that has signed", () => {
  it("is the one that ethers finds", () => {
    for (const { digest, key } of pairs) {
      expect(recoverKey(digest, key.sign(digest).serialized)).toBe(key.publicKey);
      const other = id(digest);
      const found = SigningKey.recoverPublicKey(other, key.sign(digest));
      expect(recoverKey(other, key.sign(digest).serialized)).toBe(found);
    }
  });

  it("is none where contracts find none", () => {
    const { digest, key } = pairs[0] ?? expect.fail();
    const { r, s, serialized: signature, v } = key.sign(digest);
    const high = toBeHex(ORDER - BigInt(s), 32);
    const bad = {
      "a high s": r + high.slice(2) + (v === 27 ? "1c" : "1b"),
      "v of 0 or 1": `${signature.slice(0, -2)}${v === 27 ? "00" : "01"}`,
      "v of 29": `${signature.slice(0, -2)}1d`,
      "r of the order": toBeHex(ORDER, 32) + signature.slice(66),
      "r of 0": toBeHex(0, 32) + signature.slice(66),
      "s of 0": signature.slice(0, 66) + toBeHex(0, 32).slice(2) + signature.slice(-2),
      "no point": hexlify(new Uint8Array(32).fill(0xff)).slice(0, 66) + signature.slice(66),
      "the short form": Signature.from(signature).compactSerialized,
      "a byte more": `${signature.slice(0, -2)}00${signature.slice(-2)}`,
      nothing: "0x",
    };
    for (const [name, text] of Object.entries(bad)) {
      expect({ name, key: recoverKey(digest, text) }).toEqual({ name, key: undefined });
    }
  });
});
