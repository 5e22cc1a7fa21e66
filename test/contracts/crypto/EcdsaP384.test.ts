import { createHash } from "node:crypto";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import { GENERATOR, isOnCurve, multiply, N, P, pointWithX } from "@haca/attestation/p384/p384Curve";
import { expect } from "chai";
import { network } from "hardhat";
import { deployEcdsaP384, type EcdsaP384, verifyOnChain } from "../utils/ecdsaP384Fixture.ts";
import {
  isValidForNode,
  numberFrom,
  packKey,
  packPair,
  type Signed,
  signatureWithPoint,
  signFrom,
} from "../utils/p384Signatures.ts";

const connection = await network.create();
const { ethers } = connection;
const DIFFERENTIAL_RUNS = process.env.HACA_DEEP === "1" ? 1_000 : 30;
/** A root of x^3 - 3x + b - 1. */
const POINT_WITH_Y_1 = {
  x: 0x2261b2bf605c22f2f3aef6338719b2c486388ad5240719a5257315969ef01ba27f0a104c89704773a81fdabee6ab5c78n,
  y: 1n,
};
const MESSAGE = new TextEncoder().encode("a message");

const readPair = (bytes: Uint8Array): [bigint, bigint] => {
  const hex = Buffer.from(bytes).toString("hex");
  return [BigInt(`0x${hex.slice(0, 96)}`), BigInt(`0x${hex.slice(96)}`)];
};

/** First point with an x coordinate from `start` on. */
function pointFrom(start: bigint) {
  for (let x = start; ; x++) {
    const point = pointWithX(x);
    if (point !== undefined) return point;
  }
}

describe("EcdsaP384", () => {
  let ecdsa: EcdsaP384;
  /** valid hints of another signature, for cases that have none */
  let otherHints: Uint8Array;

  before(async () => {
    ecdsa = await deployEcdsaP384(connection);
    otherHints = generateP384Hints(signFrom("other"));
  });

  const expectAccepted = (signed: Signed) => verifyOnChain({ ecdsa, signed });

  /** Neither with hints of another signature, nor with hints of its own, which must not exist. */
  const expectRefused = async (signed: Signed, error?: string): Promise<void> => {
    expect(() => generateP384Hints(signed))
      .to.throw()
      .with.property("code")
      .that.matches(/Invalid$/);
    const attempt = expect(verifyOnChain({ ecdsa, signed, hints: otherHints })).to.be;
    await (error === undefined
      ? attempt.revert(ethers)
      : attempt.revertedWithCustomError(ecdsa, error));
  };

  it("testFuzz_AgreesWithNode", async function () {
    this.timeout(0);
    for (let run = 0; run < DIFFERENTIAL_RUNS; run++) {
      const signed = signFrom(`differential ${run}`);
      const [r, s] = readPair(signed.signature);
      // every signature in its other form, too: about half of all have a high s
      const variants = [signed, { ...signed, signature: packPair(r, N - s) }];
      for (const variant of run % 8 === 0 ? variants : [signed]) {
        expect(isValidForNode(variant)).to.equal(true);
        await expectAccepted(variant);
      }
      const forged = [
        { ...signed, message: new Uint8Array([...signed.message, 0]) },
        { ...signed, signature: packPair(r, (s + 1n) % N) },
        { ...signed, publicKey: signFrom(`another ${run}`).publicKey },
      ][run % 3];
      if (forged === undefined) throw new Error("no forgery");
      expect(isValidForNode(forged)).to.equal(false);
      await expectRefused(forged, "EcdsaP384_HintInvalid");
    }
  });

  it("test_RevertWhen_ROrSIsOutOfRange", async () => {
    const signed = signFrom("range");
    const [r, s] = readPair(signed.signature);
    const outside = [0n, N, N + 1n, P - 1n, P, 2n ** 384n - 1n];
    for (const signature of [
      ...outside.map((value) => packPair(value, s)),
      ...outside.map((value) => packPair(r, value)),
      packPair(0n, 0n),
    ]) {
      expect(isValidForNode({ ...signed, signature })).to.equal(false);
      await expectRefused({ ...signed, signature }, "EcdsaP384_SignatureOutOfRange");
    }
    // the ends of the range are in it, and wrong here
    for (const signature of [
      packPair(1n, s),
      packPair(N - 1n, s),
      packPair(r, 1n),
      packPair(r, N - 1n),
    ]) {
      await expectRefused({ ...signed, signature }, "EcdsaP384_HintInvalid");
    }
  });

  it("test_RAddedOnceToN", async () => {
    // x in (n, p): the signature carries x - n
    const signed = signatureWithPoint({
      message: MESSAGE,
      point: pointFrom(N + 1n),
      s: numberFrom("s") % N,
    });
    expect(readPair(signed.signature)[0]).to.be.lessThan(2n ** 32n);
    expect(isValidForNode(signed)).to.equal(true);
    const hints = generateP384Hints(signed);
    expect(hints[0]).to.equal(1);
    await verifyOnChain({ ecdsa, signed, hints });
    for (const flag of [0, 2, 255]) {
      const changed = Uint8Array.from(hints);
      changed[0] = flag;
      await expect(verifyOnChain({ ecdsa, signed, hints: changed })).to.be.revertedWithCustomError(
        ecdsa,
        "EcdsaP384_HintInvalid",
      );
    }
  });

  it("test_RevertWhen_RPlusNIsNotBelowP", async () => {
    const signed = signFrom("not reduced");
    const hints = generateP384Hints(signed);
    hints[0] = 1;
    await expect(verifyOnChain({ ecdsa, signed, hints }))
      .to.be.revertedWithCustomError(ecdsa, "EcdsaP384_HintInvalid")
      .withArgs(0);
  });

  it("test_SmallAndLargeValues", async () => {
    const points = [pointFrom(1n), pointFrom(N - 1000n), pointFrom(P - 1000n), GENERATOR];
    for (const point of points) {
      for (const s of [1n, 2n, N / 2n, N - 2n, N - 1n]) {
        const signed = signatureWithPoint({ message: MESSAGE, point, s });
        expect(isValidForNode(signed)).to.equal(true);
        await expectAccepted(signed);
      }
    }
  });

  it("test_KeysNearTheGenerator", async () => {
    for (const factor of [1n, 2n, 3n, N - 1n, N - 2n, 2n ** 192n, N - 2n ** 192n]) {
      const key = multiply(GENERATOR, factor);
      if (key === undefined) throw new Error("no key");
      // R = k G with k = 2: s = (z + r factor) / 2
      const point = multiply(GENERATOR, 2n);
      if (point === undefined) throw new Error("no point");
      const z = BigInt(`0x${createHash("sha384").update(MESSAGE).digest("hex")}`);
      const s = ((z + (point.x % N) * factor) * ((N + 1n) / 2n)) % N;
      const signed = {
        message: MESSAGE,
        publicKey: packKey(key),
        signature: packPair(point.x % N, s),
      };
      expect(isValidForNode(signed)).to.equal(true);
      await expectAccepted(signed);
    }
  });

  it("test_RevertWhen_PublicKeyIsNoPoint", async () => {
    const signed = signFrom("key");
    const [x, y] = readPair(signed.publicKey);
    const invalid = [
      packPair(x, y ^ 1n),
      packPair(y, x),
      packPair(0n, 0n),
      packPair(x, P),
      packPair(P, y),
      packPair(2n ** 384n - 1n, 2n ** 384n - 1n),
    ];
    for (const publicKey of invalid) {
      expect(isValidForNode({ ...signed, publicKey })).to.equal(false);
      await expectRefused({ ...signed, publicKey }, "EcdsaP384_PublicKeyInvalid");
    }
    // x + p and y + p are the same residues, and other keys
    const small = signatureWithPoint({ message: MESSAGE, point: GENERATOR, s: 5n });
    const { x: smallX, y: itsY } = pointFrom(1n);
    expect(isOnCurve(POINT_WITH_Y_1)).to.equal(true);
    for (const publicKey of [
      packPair(smallX + P, itsY),
      packPair(POINT_WITH_Y_1.x, POINT_WITH_Y_1.y + P),
    ]) {
      await expectRefused({ ...small, publicKey }, "EcdsaP384_PublicKeyInvalid");
    }
  });

  it("test_RevertWhen_LengthsAreWrong", async () => {
    const signed = signFrom("lengths");
    for (const length of [0, 95, 97, 192]) {
      const bytes = new Uint8Array(length);
      await expectRefused({ ...signed, publicKey: bytes }, "EcdsaP384_PublicKeyLengthInvalid");
      await expectRefused({ ...signed, signature: bytes }, "EcdsaP384_SignatureLengthInvalid");
    }
  });

  it("test_RevertWhen_BaseTableIsNotTheOne", async () => {
    const table = p384BaseTable();
    table[100] = (table[100] ?? 0) ^ 1;
    const factory = await ethers.getContractFactory("EcdsaP384");
    await expect(factory.deploy(table)).to.be.revertedWithCustomError(
      ecdsa,
      "EcdsaP384_BaseTableInvalid",
    );
    await expect(factory.deploy("0x")).to.be.revertedWithCustomError(
      ecdsa,
      "EcdsaP384_BaseTableInvalid",
    );
  });
});
