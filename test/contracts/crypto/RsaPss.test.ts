import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  sign,
  verify,
} from "node:crypto";
import { expect } from "chai";
import { network } from "hardhat";
import { type AttestationHarness, deployAttestationHarness } from "../utils/attestationHarness.ts";
import { isInstrumented } from "../utils/transactionGas.ts";

const { ethers } = await network.create();
const IS_DEEP = process.env.HACA_DEEP === "1";
const RUNS = IS_DEEP ? 40 : 4;
const LENGTHS = [2048, 3072, 4096];
const MESSAGE = new TextEncoder().encode("a heartbeat");

const sha256 = (...parts: Uint8Array[]): Buffer =>
  createHash("sha256").update(Buffer.concat(parts)).digest();
const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const toBytes = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex");

type Key = { privateKey: KeyObject; publicKey: KeyObject; modulus: Buffer };

function makeKey(modulusLength: number, publicExponent = 65_537): Key {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return {
    privateKey,
    publicKey,
    modulus: Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url"),
  };
}

const signPss = (
  key: Key,
  parameters: { saltLength?: number; hash?: string; mgf?: never } = {},
): Buffer =>
  sign(parameters.hash ?? "sha256", MESSAGE, {
    key: key.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: parameters.saltLength ?? 32,
  });

/** MGF1 (RFC 8017, B.2.1). */
function mask(seed: Uint8Array, length: number, hash = "sha256"): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0; Buffer.concat(blocks).length < length; counter++) {
    blocks.push(
      createHash(hash)
        .update(Buffer.concat([seed, toBytes(BigInt(counter), 4)]))
        .digest(),
    );
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** EMSA-PSS (RFC 8017, 9.1.1), every part of which can be spoilt; the private key makes a signature of it. */
function signEncoding(
  key: Key,
  spoil: {
    salt?: Uint8Array;
    trailer?: number;
    separator?: number;
    padding?: (padding: Buffer) => void;
    mgfHash?: string;
    prefix?: Uint8Array;
    firstByte?: (byte: number) => number;
    hash?: (hash: Buffer) => Buffer;
  } = {},
): Buffer {
  const length = key.modulus.length;
  const salt = spoil.salt ?? sha256(Buffer.from("salt"));
  const inner = sha256(spoil.prefix ?? new Uint8Array(8), sha256(MESSAGE), salt);
  const hash = spoil.hash?.(inner) ?? inner;
  const padding = Buffer.alloc(length - salt.length - 34);
  spoil.padding?.(padding);
  const db = Buffer.concat([padding, Uint8Array.of(spoil.separator ?? 1), salt]);
  const keyStream = mask(hash, db.length, spoil.mgfHash);
  const masked = db.map((byte, i) => byte ^ (keyStream[i] ?? 0));
  masked[0] = spoil.firstByte?.(masked[0] ?? 0) ?? (masked[0] ?? 0) & 0x7f;
  const message = Buffer.concat([masked, hash, Uint8Array.of(spoil.trailer ?? 0xbc)]);
  return privateEncrypt({ key: key.privateKey, padding: constants.RSA_NO_PADDING }, message);
}

describe("RsaPss", () => {
  const keys = new Map(LENGTHS.map((length) => [length, makeKey(length)]));
  const keyOf = (length: number): Key => {
    const key = keys.get(length);
    if (key === undefined) throw new Error(`no key of ${length} bits`);
    return key;
  };
  let harness: AttestationHarness;

  before(async () => {
    harness = await deployAttestationHarness(ethers);
  });

  const isValid = (modulus: Uint8Array, signature: Uint8Array, message: Uint8Array = MESSAGE) =>
    harness.isValidPss(modulus, sha256(message), signature);

  const isValidForNode = (key: Key, signature: Uint8Array): boolean =>
    verify(
      "sha256",
      MESSAGE,
      { key: key.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
      signature,
    );

  for (const length of LENGTHS) {
    it(`testFuzz_AgreesWithNode_${length}`, async () => {
      const key = keyOf(length);
      for (let run = 0; run < RUNS; run++) {
        const signature = signPss(key);
        expect(await isValid(key.modulus, signature)).to.equal(true);
        expect(await isValid(key.modulus, signature, Buffer.from("another"))).to.equal(false);
        const position = (run * 97) % signature.length;
        const flipped = Buffer.from(signature);
        flipped[position] = (flipped[position] ?? 0) ^ 1;
        expect(isValidForNode(key, flipped)).to.equal(false);
        expect(await isValid(key.modulus, flipped)).to.equal(false);
      }
    });

    it(`test_RefusesEachSpoiltPart_${length}`, async () => {
      const key = keyOf(length);
      expect(await isValid(key.modulus, signEncoding(key))).to.equal(true);
      const padded = key.modulus.length - 66;
      const spoilt: Record<string, Buffer> = {
        "trailer bb": signEncoding(key, { trailer: 0xbb }),
        "trailer 00": signEncoding(key, { trailer: 0 }),
        "separator 00": signEncoding(key, { separator: 0 }),
        "separator 02": signEncoding(key, { separator: 2 }),
        "separator 81": signEncoding(key, { separator: 0x81 }),
        "salt of 31 bytes": signEncoding(key, { salt: Buffer.alloc(31, 7) }),
        "salt of 33 bytes": signEncoding(key, { salt: Buffer.alloc(33, 7) }),
        "salt of 0 bytes": signEncoding(key, { salt: Buffer.alloc(0) }),
        "other zeros before the hash": signEncoding(key, { prefix: Buffer.alloc(8, 1) }),
        "seven zeros before the hash": signEncoding(key, { prefix: Buffer.alloc(7) }),
        "MGF1 with SHA-1": signEncoding(key, { mgfHash: "sha1" }),
        "MGF1 with SHA-512": signEncoding(key, { mgfHash: "sha512" }),
        "another hash": signEncoding(key, {
          hash: (hash) => hash.map((byte) => byte ^ 0x10) as Buffer,
        }),
      };
      // every byte of the padding, but not the bit of the first that PSS leaves out
      for (const i of IS_DEEP
        ? Array(padded).keys()
        : [0, 1, 31, 32, 33, 63, 64, 100, padded - 33, padded - 32, padded - 2, padded - 1]) {
        const bit = (padding: Buffer): void => {
          padding[i] = i === 0 ? 0x40 : 0x80;
        };
        spoilt[`padding byte ${i}`] = signEncoding(key, { padding: bit });
      }
      for (const [name, signature] of Object.entries(spoilt)) {
        expect(isValidForNode(key, signature), name).to.equal(false);
        expect(await isValid(key.modulus, signature), name).to.equal(false);
      }
    });
  }

  it("test_RefusesTheFirstBitOfTheEncoding", async () => {
    // with a salt for which 2^(8 length - 1) + encoding is still below the modulus
    const key = keyOf(2048);
    for (let i = 0; i < 200; i++) {
      const salt = sha256(Buffer.from(`salt ${i}`));
      if ((signableFirstByte(key, salt) | 0x80) >= (key.modulus[0] ?? 0)) continue;
      const signature = signEncoding(key, { salt, firstByte: (byte) => byte | 0x80 });
      expect(isValidForNode(key, signature)).to.equal(false);
      expect(await isValid(key.modulus, signature)).to.equal(false);
      return;
    }
    throw new Error("no salt fits this key");
  });

  const signableFirstByte = (key: Key, salt: Buffer): number =>
    mask(sha256(new Uint8Array(8), sha256(MESSAGE), salt), key.modulus.length - 33)[0] ?? 0;

  it("test_RefusesSignaturesFromTheModulusOn", async () => {
    const key = keyOf(2048);
    const n = toNumber(key.modulus);
    const length = key.modulus.length;
    for (const signature of [n, n + 1n, 2n ** 2048n - 1n]) {
      expect(await isValid(key.modulus, toBytes(signature, length))).to.equal(false);
    }
    // s + n is the same residue: find a signature for which it fits the length
    for (let i = 0; i < 200; i++) {
      const s = toNumber(signPss(key));
      if (s + n >= 2n ** 2048n) continue;
      expect(await isValid(key.modulus, toBytes(s, length))).to.equal(true);
      expect(await isValid(key.modulus, toBytes(s + n, length))).to.equal(false);
      return;
    }
    throw new Error("no signature is small enough for this key");
  });

  it("test_RefusesOtherSchemes", async () => {
    const key = keyOf(2048);
    const wrong = {
      "PKCS #1 v1.5": sign("sha256", MESSAGE, key.privateKey),
      "PSS with SHA-384": signPss(key, { hash: "sha384" }),
      "PSS with the longest salt": signPss(key, { saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN }),
      "PSS with SHA-1": signPss(key, { hash: "sha1" }),
      "another key's": signPss(makeKey(2048)),
      "exponent 3": signPss(makeKey(2048, 3)),
      zero: Buffer.alloc(256),
      one: toBytes(1n, 256),
    };
    for (const [name, signature] of Object.entries(wrong)) {
      expect(await isValid(key.modulus, signature), name).to.equal(false);
    }
  });

  it("test_RefusesOtherLengths", async () => {
    const key = keyOf(2048);
    const signature = signPss(key);
    const zero = Uint8Array.of(0);
    expect(await isValid(key.modulus, Buffer.concat([zero, signature]))).to.equal(false);
    expect(await isValid(key.modulus, signature.subarray(1))).to.equal(false);
    expect(await isValid(key.modulus, Buffer.concat([signature, zero]))).to.equal(false);
    expect(
      await isValid(Buffer.concat([zero, key.modulus]), Buffer.concat([zero, signature])),
    ).to.equal(false);
    expect(await isValid(key.modulus, Buffer.alloc(0))).to.equal(false);
    expect(await isValid(Buffer.alloc(0), Buffer.alloc(0))).to.equal(false);
  });

  it("test_RevertWhen_GasRunsOutInThePrecompile", async function () {
    if (isInstrumented) this.skip();
    // MODEXP takes 32,768 gas here. With any less, the answer is never "invalid": there is none.
    const key = keyOf(2048);
    const signature = signPss(key);
    const answerWith = (gasLimit: number): Promise<boolean | "reverted"> =>
      harness.contract.isValidPss
        .staticCall(key.modulus, sha256(MESSAGE), signature, { gasLimit })
        .catch(() => "reverted");
    const answers: (boolean | "reverted")[] = [];
    for (let gasLimit = 60_000; gasLimit <= 70_000; gasLimit += 25) {
      answers.push(await answerWith(gasLimit));
    }
    expect(new Set(answers)).to.deep.equal(new Set(["reverted", true]));
  });

  it("test_SupportedModuli", async () => {
    for (const length of LENGTHS) {
      expect(await harness.isSupportedModulus(keyOf(length).modulus)).to.equal(true);
    }
    const { modulus } = keyOf(2048);
    const even = Buffer.from(modulus);
    even[255] = 0;
    const short = Buffer.from(modulus);
    short[0] = 0x7f;
    for (const wrong of [
      even,
      short,
      modulus.subarray(1),
      Buffer.alloc(0),
      Buffer.alloc(512),
      Buffer.concat([modulus, modulus, Uint8Array.of(1)]),
    ]) {
      expect(await harness.isSupportedModulus(wrong)).to.equal(false);
    }
    // what is not supported is not valid either: 1024 bits, with a good signature
    const weak = makeKey(1024);
    expect(await isValid(weak.modulus, signPss(weak))).to.equal(false);
  });
});
