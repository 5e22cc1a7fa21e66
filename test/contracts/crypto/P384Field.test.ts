import { invert, modulo, P } from "@haca/attestation/p384/p384Curve";
import { expect } from "chai";
import { network } from "hardhat";
import { type AttestationHarness, deployAttestationHarness } from "../utils/attestationHarness.ts";
import { numberFrom } from "../utils/p384Signatures.ts";

const { ethers } = await network.create();
const RANDOM_RUNS = process.env.HACA_DEEP === "1" ? 3_000 : 100;
const WORD = 2n ** 256n;
const LIMIT = 2n ** 384n;

type Pair = [bigint, bigint];
const split = (a: bigint): Pair => [BigInt.asUintN(256, a >> 256n), BigInt.asUintN(256, a)];
const join = ([high, low]: Pair): bigint => high * WORD + low;

/** Elements where carries and folds have their limits. */
const EXTREMES = [
  ...[0n, 1n, 2n, P - 1n, P, P + 1n, LIMIT - 1n, LIMIT - 2n],
  ...[WORD - 1n, WORD, WORD + 1n, 2n ** 128n, 2n ** 128n - 1n, 2n ** 96n, 2n ** 32n],
  ...[LIMIT - WORD, LIMIT - WORD - 1n, LIMIT - WORD + 1n, LIMIT - 2n ** 128n, LIMIT - 2n * WORD],
  ...[2n ** 383n, 2n ** 383n - 1n, P >> 1n, (P >> 1n) + 1n, 3n * WORD],
];

describe("P384Field", () => {
  let harness: AttestationHarness;
  const inverseOfRadix = invert(WORD, P) ?? 0n;

  before(async () => {
    harness = await deployAttestationHarness(ethers);
  });

  /** The result is an element (below 2^384) of this residue. */
  const expectResidue = (result: Pair, expected: bigint, name: string): void => {
    const value = join(result);
    expect(value < LIMIT, `${name}: below 2^384`).to.equal(true);
    expect(modulo(value, P), name).to.equal(modulo(expected, P));
  };

  const expectProduct = async (a: bigint, b: bigint): Promise<void> => {
    expectResidue(
      await harness.multiply(...split(a), ...split(b)),
      a * b * inverseOfRadix,
      `${a} * ${b}`,
    );
  };

  it("test_MultiplyExtremes", async () => {
    for (const a of EXTREMES) for (const b of EXTREMES) await expectProduct(a, b);
  });

  it("testFuzz_Multiply", async () => {
    for (let run = 0; run < RANDOM_RUNS; run++) {
      const a = numberFrom(`a ${run}`);
      await expectProduct(a, numberFrom(`b ${run}`));
      // products just below and above 2^768, where the sum before the last fold passes 2^512
      await expectProduct(LIMIT - 1n - (a >> 257n), LIMIT - 1n - (numberFrom(`c ${run}`) >> 257n));
    }
  });

  it("testFuzz_MultiplyToExtremes", async () => {
    // b such that the product is, or is near, an extreme element
    for (const target of EXTREMES) {
      const a = numberFrom(`factor ${target}`) | 1n;
      const inverse = invert(a, P);
      if (inverse === undefined) throw new Error("no inverse");
      await expectProduct(a, modulo(target * WORD * inverse, P));
    }
  });

  it("test_Square", async () => {
    const values = [
      ...EXTREMES,
      ...Array.from({ length: RANDOM_RUNS }, (_, i) => numberFrom(`square ${i}`)),
      ...Array.from(
        { length: RANDOM_RUNS },
        (_, i) => LIMIT - 1n - (numberFrom(`top ${i}`) >> 257n),
      ),
    ];
    for (const a of values) {
      expectResidue(await harness.square(...split(a)), a * a * inverseOfRadix, `${a}^2`);
    }
  });

  it("test_AddAndSubtract", async () => {
    for (const a of EXTREMES) {
      for (const b of EXTREMES) {
        expectResidue(await harness.add(...split(a), ...split(b)), a + b, `${a} + ${b}`);
        expectResidue(await harness.subtract(...split(a), ...split(b)), a - b, `${a} - ${b}`);
        const c = EXTREMES[Number((a + b) % BigInt(EXTREMES.length))] ?? 0n;
        expectResidue(
          await harness.subtractTwo(...split(a), ...split(b), ...split(c)),
          a - b - c,
          `${a} - ${b} - ${c}`,
        );
      }
    }
    for (const a of [0n, 1n]) {
      const most = split(LIMIT - 1n);
      expectResidue(
        await harness.subtractTwo(...split(a), ...most, ...most),
        a - 2n * (LIMIT - 1n),
        "the lowest difference",
      );
    }
  });

  it("test_IsMultiple", async () => {
    for (let k = -8n; k <= 8n; k++) {
      expect(await harness.isMultiple(...split(k * P)), `${k} p`).to.equal(true);
      for (const off of [1n, -1n, 2n ** 128n, WORD, -WORD, 2n ** 384n, LIMIT - P]) {
        expect(await harness.isMultiple(...split(k * P + off)), `${k} p + ${off}`).to.equal(false);
      }
      // right in one word only
      const [high, low] = split(k * P);
      const [otherHigh, otherLow] = split((k + 1n) * P);
      expect(await harness.isMultiple(high, otherLow)).to.equal(false);
      expect(await harness.isMultiple(otherHigh, low)).to.equal(false);
    }
    for (let run = 0; run < RANDOM_RUNS; run++) {
      expect(await harness.isMultiple(...split(numberFrom(`multiple ${run}`)))).to.equal(false);
    }
  });

  it("test_IsZero", async () => {
    for (const a of EXTREMES) {
      expect(await harness.isZero(...split(a)), `${a}`).to.equal(a === 0n || a === P);
    }
    const [high, low] = split(P);
    expect(await harness.isZero(high, 0n)).to.equal(false);
    expect(await harness.isZero(0n, low)).to.equal(false);
  });
});
