import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect } from "chai";
import { Wallet } from "ethers";
import { network } from "hardhat";

const { ethers } = await network.create();
const RSA = 1n;
const P256 = 2n;
const SECP256K1 = 3n;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const RSA_ENCRYPTION = Buffer.from("300d06092a864886f70d0101010500", "hex");
const SECP256K1_PREFIX = Buffer.from("3056301006072a8648ce3d020106052b8104000a034200", "hex");

const encoded = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
};
/** An unsigned integer: a zero in front where the sign bit is taken. */
const integer = (magnitude: Uint8Array): Buffer =>
  (magnitude[0] ?? 0) < 0x80
    ? encoded(INTEGER, magnitude)
    : encoded(INTEGER, Uint8Array.of(0), magnitude);
const ONE = Uint8Array.of(1);
const E_65537 = Uint8Array.of(1, 0, 1);

/** A number of `bytes` bytes with the top bit set; whether it is a product of primes is not looked at. */
const modulusOf = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? 0x80 : i & 0xff));

type Parts = {
  algorithm: Uint8Array;
  modulus: Uint8Array;
  exponent: Uint8Array;
  unusedBits: number;
  behindNumbers: Uint8Array;
  behindSequence: Uint8Array;
  behindBits: Uint8Array;
  behindKey: Uint8Array;
};
const NOTHING = new Uint8Array();
const SOUND: Parts = {
  algorithm: RSA_ENCRYPTION,
  modulus: modulusOf(256),
  exponent: E_65537,
  unusedBits: 0,
  behindNumbers: NOTHING,
  behindSequence: NOTHING,
  behindBits: NOTHING,
  behindKey: NOTHING,
};
function rsaKey(changes: Partial<Parts>): Buffer {
  const parts = { ...SOUND, ...changes };
  const numbers = [integer(parts.modulus), integer(parts.exponent), parts.behindNumbers];
  const bits = encoded(
    BIT_STRING,
    Uint8Array.of(parts.unusedBits),
    encoded(SEQUENCE, ...numbers),
    parts.behindSequence,
  );
  return Buffer.concat([
    encoded(SEQUENCE, parts.algorithm, bits, parts.behindBits),
    parts.behindKey,
  ]);
}

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

describe("SigningKeys", () => {
  const deploy = () => ethers.deployContract("SigningKeys");
  let keys: Awaited<ReturnType<typeof deploy>>;
  const interfaceOf = (address: string) => ethers.getContractAt("IAttestationErrors", address);
  let errors: Awaited<ReturnType<typeof interfaceOf>>;
  before(async () => {
    keys = await deploy();
    errors = await interfaceOf(await keys.getAddress());
  });
  const unsupported = (key: Uint8Array, name: string) =>
    expect(keys.kindOf(key), name).to.be.revertedWithCustomError(
      keys,
      "SigningKeys_KeyUnsupported",
    );

  describe("kindOf", () => {
    it("test_TellsTheKinds", async () => {
      for (const bytes of [256, 264, 384, 512]) {
        expect(await keys.kindOf(rsaKey({ modulus: modulusOf(bytes) }))).to.equal(RSA);
      }
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      expect(await keys.kindOf(spki(publicKey))).to.equal(P256);
      const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
      expect(await keys.kindOf(spki(other))).to.equal(SECP256K1);
    });

    it("test_RevertWhen_TheAlgorithmIsAnother", async () => {
      for (let position = 0; position < RSA_ENCRYPTION.length; ++position) {
        const algorithm = Buffer.from(RSA_ENCRYPTION);
        algorithm[position] = (algorithm[position] ?? 0) ^ 1;
        await unsupported(rsaKey({ algorithm }), `byte ${position}`);
      }
      await unsupported(encoded(SEQUENCE, RSA_ENCRYPTION.subarray(0, 14)), "cut");
    });

    it("test_RevertWhen_TheModulusHasAnotherSize", async () => {
      for (const bytes of [1, 128, 248, 255, 257, 260, 263, 265, 511]) {
        await unsupported(rsaKey({ modulus: modulusOf(bytes) }), `${bytes} bytes`);
      }
      const short = Uint8Array.from(modulusOf(256), (byte, i) => (i === 0 ? 0x7f : byte));
      await unsupported(rsaKey({ modulus: short }), "2047 bits");
      await expect(keys.kindOf(rsaKey({ modulus: modulusOf(513) })))
        .to.be.revertedWithCustomError(errors, "Der_IntegerTooLong")
        .withArgs(28, 512, 513);
    });

    it("test_RevertWhen_TheExponentIsAnother", async () => {
      for (const exponent of [ONE, Uint8Array.of(3), Uint8Array.of(1, 0, 3), Uint8Array.of(0)]) {
        await unsupported(rsaKey({ exponent }), `exponent ${exponent}`);
      }
    });

    it("test_RevertWhen_SomethingStandsBehindAPart", async () => {
      const zero = Uint8Array.of(0);
      for (const part of ["behindNumbers", "behindSequence", "behindBits", "behindKey"] as const) {
        await expect(keys.kindOf(rsaKey({ [part]: zero })), part).to.be.revertedWithCustomError(
          errors,
          "Der_TrailingBytes",
        );
      }
    });

    it("test_RevertWhen_TheBitStringIsNotWholeBytes", async () => {
      await unsupported(rsaKey({ unusedBits: 1 }), "unused bits");
      const empty = encoded(SEQUENCE, RSA_ENCRYPTION, encoded(BIT_STRING));
      await unsupported(empty, "no bits");
    });

    it("test_RevertWhen_APointIsLongerOrShorterThanItsKind", async () => {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const key = spki(publicKey);
      for (const changed of [key.subarray(0, -1), Buffer.concat([key, ONE])]) {
        await expect(keys.kindOf(changed)).to.be.revert(ethers);
      }
      for (let position = 0; position < 27; ++position) {
        const changed = Buffer.from(key);
        changed[position] = (changed[position] ?? 0) ^ 1;
        await expect(keys.kindOf(changed), `byte ${position}`).to.be.revert(ethers);
      }
    });
  });

  describe("isSigned", () => {
    const message = ethers.randomBytes(32);
    const other = ethers.randomBytes(32);
    const { privateKey: p256, publicKey: p256Public } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
    });
    const { privateKey: rsa, publicKey: rsaPublic } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
    });
    const wallet = Wallet.createRandom();
    const signers = [
      {
        kind: RSA,
        key: spki(rsaPublic),
        signature: sign("sha256", message, {
          key: rsa,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 32,
        }),
      },
      {
        kind: P256,
        key: spki(p256Public),
        signature: sign("sha256", message, { key: p256, dsaEncoding: "ieee-p1363" }),
      },
      {
        kind: SECP256K1,
        key: Buffer.concat([SECP256K1_PREFIX, ethers.getBytes(wallet.signingKey.publicKey)]),
        signature: ethers.getBytes(wallet.signingKey.sign(message).serialized),
      },
    ];

    it("test_AcceptsEachKindsSignature_AndNoOther", async () => {
      for (const { kind, key, signature } of signers) {
        expect(await keys.isSigned(kind, key, message, signature), `${kind}`).to.equal(true);
        expect(await keys.isSigned(kind, key, other, signature), `${kind}, other`).to.equal(false);
        expect(await keys.isSigned(0, key, message, signature), `${kind}, none`).to.equal(false);
        for (const changed of [
          signature.subarray(0, -1),
          Buffer.concat([signature, ONE]),
          Uint8Array.from(signature, (byte, i) => (i === 40 ? byte ^ 1 : byte)),
          NOTHING,
        ]) {
          expect(await keys.isSigned(kind, key, message, changed), `${kind}`).to.equal(false);
        }
      }
    });

    it("test_RefusesAnotherKeysSignature", async () => {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const [, signed] = signers;
      const answer = await keys.isSigned(P256, spki(publicKey), message, signed?.signature ?? "0x");
      expect(answer).to.equal(false);
    });
  });
});
