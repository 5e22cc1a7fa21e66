import { N } from "@haca/attestation/p384/p384Curve";
import { expect } from "chai";
import { network } from "hardhat";
import { type AttestationHarness, deployAttestationHarness } from "../utils/attestationHarness.ts";
import { numberFrom } from "../utils/p384Signatures.ts";

const { ethers } = await network.create();
const RUNS = process.env.HACA_DEEP === "1" ? 500 : 30;
const WORD = 2n ** 256n;
const MODULI = [WORD, WORD - 1n, WORD - 3n, WORD - 5n];

/** (aLow + 2^192 aHigh) b + c d = q n, over the integers. */
type Equation = { aLow: bigint; aHigh: bigint; b: bigint; c: bigint; d: bigint; q: bigint };

describe("P384Scalars", () => {
  let harness: AttestationHarness;

  before(async () => {
    harness = await deployAttestationHarness(ethers);
  });

  const low = (a: bigint): bigint => BigInt.asUintN(256, a);
  const holds = ({ aLow, aHigh, b, c, d, q }: Equation): Promise<boolean> =>
    harness.holds({
      aLow,
      aHigh,
      bHigh: b >> 256n,
      bLow: low(b),
      c,
      dHigh: d >> 256n,
      dLow: low(d),
      qHigh: q >> 256n,
      qLow: low(q),
    });

  /** An equation that holds: d makes up for the rest. */
  const makeEquation = (run: number): Equation => {
    const signOf = (bit: number): bigint => ((run >> bit) & 1 ? -1n : 1n);
    const aLow = signOf(0) * (numberFrom(`aLow ${run}`) >> 184n);
    const aHigh = signOf(1) * (numberFrom(`aHigh ${run}`) >> 184n);
    const b = numberFrom(`b ${run}`);
    const c = signOf(2);
    const left = (aLow + aHigh * 2n ** 192n) * b;
    let q = left / N;
    if (c * (q * N - left) < 0n) q += c;
    return { aLow, aHigh, b, c, d: c * (q * N - left), q };
  };

  it("testFuzz_HoldsAndDoesNot", async () => {
    for (let run = 0; run < RUNS; run++) {
      const equation = makeEquation(run);
      expect(await holds(equation), `${run}`).to.equal(true);
      for (const key of ["aLow", "aHigh", "c", "q"] as const) {
        expect(await holds({ ...equation, [key]: equation[key] + 1n }), key).to.equal(false);
      }
      expect(await holds({ ...equation, b: equation.b ^ 1n }), "b").to.equal(false);
      expect(await holds({ ...equation, d: equation.d ^ 1n }), "d").to.equal(false);
    }
  });

  it("test_NoModulusIsLeftOut", async () => {
    // Off by a multiple of all moduli but one: 0 = m m' m'' is refused by the one that is not there.
    for (const missing of MODULI) {
      const product = MODULI.filter((m) => m !== missing).reduce((a, m) => a * m, 1n);
      // aLow b + c d = product, by division
      const b = 2n ** 384n - 317n;
      const a = product / b;
      const aHigh = a >> 192n;
      const equation = {
        aLow: BigInt.asUintN(192, a),
        aHigh,
        b,
        c: 1n,
        d: product % b,
        q: 0n,
      };
      expect(await fits(equation), "the equation's numbers are in range").to.equal(true);
      expect(await holds(equation), `without ${missing}`).to.equal(false);
    }
  });

  const fits = async ({ aHigh, d }: Equation): Promise<boolean> =>
    aHigh < 2n ** 255n && d < 2n ** 384n;

  it("test_Zeros", async () => {
    const zero = { aLow: 0n, aHigh: 0n, b: 0n, c: 0n, d: 0n, q: 0n };
    expect(await holds(zero)).to.equal(true);
    expect(await holds({ ...zero, q: 1n })).to.equal(false);
    expect(await holds({ ...zero, q: -1n })).to.equal(false);
    expect(await holds({ ...zero, c: 1n, d: N, q: 1n })).to.equal(true);
    expect(await holds({ ...zero, c: -1n, d: N, q: -1n })).to.equal(true);
    expect(await holds({ ...zero, aHigh: 1n, b: N, q: 2n ** 192n })).to.equal(true);
  });
});
