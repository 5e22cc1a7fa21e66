import { encodeProof, encodeVerifyingKey } from "@haca/protocol/groth16";
import { expect } from "chai";
import { concat, dataSlice } from "ethers";
import { network } from "hardhat";
import {
  G1_GENERATOR,
  G2_GENERATOR,
  inverse,
  modulo,
  multiplyG1,
  multiplyG2,
  negateG1,
  negateG2,
  P,
  pointOutsideG2,
  R,
} from "../utils/bn254.ts";
import { deployGroth16Harness, type Groth16Harness } from "../utils/groth16Harness.ts";
import {
  decodeG1,
  decodeG2,
  encodeG1,
  encodeG2,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../utils/groth16Simulator.ts";
import { addToCoordinate, replaceInProof, splitProof } from "../utils/proofParts.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import { KEY_VECTORS, type KeyVector } from "../utils/verifyingKeyVectors.ts";

const { ethers, networkHelpers } = await network.create();
const PROOF_LENGTH = 256;
const DIFFERENTIAL_RUNS = process.env.HACA_DEEP === "1" ? 400 : 24;

/** snarkjs writes the zero point as (0 : 1 : 0), the precompiles as (0, 0). */
const encodeZeroAware = (proof: NonNullable<KeyVector["forgery"]>["proof"]): string =>
  encodeProof({ ...proof, pi_c: proof.pi_c[2] === "0" ? ["0", "0"] : proof.pi_c });

const deploy = () => deployGroth16Harness(ethers);

describe("Groth16", () => {
  let harness: Groth16Harness;

  beforeEach(async () => {
    harness = await networkHelpers.loadFixture(deploy);
  });

  const makeCase = async (seed: string, signalCount: number) => {
    const random = scalarsFrom(seed);
    const trapdoor = makeTrapdoor({ signalCount, random });
    const signals = Array.from({ length: signalCount }, random);
    const proof = makeProof({ trapdoor, signals, a: random(), b: random() });
    return { trapdoor, signals, proof, store: await harness.storeKey(makeVerifyingKey(trapdoor)) };
  };

  type Case = { store: string; proof: string; signals: readonly bigint[] };
  const verify = (c: Case) => harness.verify(c);
  const expectRefusal = (c: Case, error: string) =>
    expect(verify(c)).to.be.revertedWithCustomError(harness.contract, error);

  it("testFuzz_AgreesWithTheEquation", async () => {
    // Random keys with 1 to 16 signals; the equation over the known logarithms says what must come out.
    for (let run = 0; run < DIFFERENTIAL_RUNS; run++) {
      const c = await makeCase(`differential ${run}`, 1 + (run % 16));
      await verify(c);
      const random = scalarsFrom(`tamper ${run}`);
      const index = Number(random() % BigInt(c.signals.length));
      await expectRefusal(
        { ...c, signals: c.signals.with(index, random()) },
        "Groth16_ProofInvalid",
      );
      const part = (["a", "b", "c"] as const)[run % 3] ?? "a";
      const point =
        part === "b"
          ? encodeG2(multiplyG2(G2_GENERATOR, random()))
          : encodeG1(multiplyG1(G1_GENERATOR, random()));
      await expectRefusal(
        { ...c, proof: replaceInProof(c.proof, { [part]: point }) },
        "Groth16_ProofInvalid",
      );
    }
  });

  it("test_SignalCountIsTheCallersDuty", async () => {
    const c = await makeCase("count", 3);
    await expectRefusal({ ...c, signals: c.signals.slice(0, 2) }, "Groth16_ProofInvalid");
    // Behind the key the code ends: the missing IC point reads as zero, which binds nothing. Callers pass the
    // number of signals that the key was published for.
    await verify({ ...c, signals: [...c.signals, 5n] });
  });

  it("test_KeyIsReadAtItsOffset", async () => {
    const c = await makeCase("offset", 2);
    const key = makeVerifyingKey(c.trapdoor);
    const store = await harness.storeKey(concat(["0x010203", key, "0xff"]));
    await harness.verify({ ...c, store, offset: 4 });
    await expect(verify({ ...c, store })).to.be.revert(ethers);
  });

  it("test_MemoryThatItUsesIsNotGivenOutAgain", async () => {
    // Room for the work, a pair and the key stays the library's: less, and what its caller makes next would lie over other things.
    for (const signalCount of [1, 3, 16]) {
      const c = await makeCase(`memory ${signalCount}`, signalCount);
      const taken = await harness.contract.measureMemory.staticCall(c.store, c.proof, [
        ...c.signals,
      ]);
      const keyLength = 448 + 64 * (signalCount + 1);
      expect(taken, `${signalCount} signals`).to.equal(160 + 192 + keyLength);
    }
  });

  it("test_RevertWhen_KeyPointIsOffTheCurve", async () => {
    const c = await makeCase("broken key", 2);
    const key = makeVerifyingKey(c.trapdoor);
    const icStart = (64 + 3 * 128) / 32;
    const store = await harness.storeKey(
      addToCoordinate({ data: key, index: icStart + 2, amount: 1n }),
    );
    await expectRefusal({ ...c, store }, "Groth16_KeyPointInvalid");
  });

  describe("proof points", () => {
    let c: Awaited<ReturnType<typeof makeCase>>;

    beforeEach(async () => {
      c = await makeCase("points", 2);
    });

    for (const [part, index] of [
      ["A", 0],
      ["A", 1],
      ["B", 2],
      ["B", 5],
      ["C", 6],
      ["C", 7],
    ] as const) {
      it(`test_RevertWhen_${part}IsOffTheCurve_coordinate${index}`, async () => {
        const proof = addToCoordinate({ data: c.proof, index, amount: 1n });
        await expectRefusal({ ...c, proof }, "Groth16_ProofPointInvalid");
      });
    }

    for (let index = 0; index < 8; index++) {
      it(`test_RevertWhen_CoordinateNotBelowP_coordinate${index}`, async () => {
        // The same point, had coordinates been reduced.
        const proof = addToCoordinate({ data: c.proof, index, amount: P });
        await expectRefusal({ ...c, proof }, "Groth16_ProofPointInvalid");
      });
    }

    it("test_RevertWhen_BIsNotInTheSubgroup", async () => {
      const proof = replaceInProof(c.proof, { b: encodeG2(pointOutsideG2()) });
      await expectRefusal({ ...c, proof }, "Groth16_ProofPointInvalid");
    });

    it("test_RevertWhen_AIsInfinity", async () => {
      const zero = encodeG1("zero");
      const alias = addToCoordinate({ data: zero, index: 1, amount: P });
      for (const a of [zero, alias]) {
        await expectRefusal(
          { ...c, proof: replaceInProof(c.proof, { a }) },
          "Groth16_ProofPointInvalid",
        );
      }
    });

    it("test_RevertWhen_BOrCIsInfinity", async () => {
      for (const parts of [{ b: encodeG2("zero") }, { c: encodeG1("zero") }]) {
        const proof = replaceInProof(c.proof, parts);
        await expectRefusal({ ...c, proof }, "Groth16_ProofInvalid");
      }
    });

    it("test_RevertWhen_AAndCAreSwapped", async () => {
      const { a, c: last } = splitProof(c.proof);
      const proof = replaceInProof(c.proof, { a: last, c: a });
      await expectRefusal({ ...c, proof }, "Groth16_ProofInvalid");
    });

    it("test_RevertWhen_ProofLengthWrong", async () => {
      for (const proof of ["0x", dataSlice(c.proof, 0, 255), concat([c.proof, "0x00"])]) {
        await expect(verify({ ...c, proof }))
          .to.be.revertedWithCustomError(harness.contract, "Groth16_ProofLengthInvalid")
          .withArgs(PROOF_LENGTH, (proof.length - 2) / 2);
      }
    });

    it("test_NegatedAAndBHold", async () => {
      // Malleability that anybody can use: e(-A, -B) = e(A, B).
      const { a, b } = splitProof(c.proof);
      const proof = replaceInProof(c.proof, {
        a: encodeG1(negateG1(decodeG1(a))),
        b: encodeG2(negateG2(decodeG2(b))),
      });
      expect(proof).not.to.equal(c.proof);
      await verify({ ...c, proof });
    });

    it("test_RevertWhen_GasRunsOutInThePrecompiles", async () => {
      // Bounded gas: a call that cannot pay for the pairing fails; it never returns as if the proof held.
      for (const gasLimit of [60_000n, 120_000n, 180_000n]) {
        await expect(harness.verify({ ...c, gasLimit })).to.be.revert(ethers);
      }
    });
  });

  // Why the registry refuses such keys: proofs of false statements, made without any secret.
  describe("forgery under keys that the registry refuses", () => {
    const SIGNALS = [1234n, 5678n];

    for (const { name, key, forgery } of KEY_VECTORS) {
      if (forgery === null) continue;
      const { from, signals, proof } = forgery;
      it(`test_ProofHolds: ${name} (made from ${from})`, async () => {
        const store = await harness.storeKey(encodeVerifyingKey(key));
        await verify({ store, proof: encodeZeroAware(proof), signals: signals.map(BigInt) });
      });
    }

    it("test_ForgeryWhen_AnIcPointIsZero", async () => {
      const random = scalarsFrom("forge ic");
      const trapdoor = makeTrapdoor({ signalCount: 2, random });
      const key = { ...trapdoor, ic: trapdoor.ic.with(2, 0n) };
      const proof = makeProof({ trapdoor: key, signals: SIGNALS, a: random(), b: random() });
      const store = await harness.storeKey(makeVerifyingKey(key));
      await verify({ store, proof, signals: SIGNALS.with(1, 42n) });
    });

    it("test_RevertWhen_SameForgeriesUnderASoundKey", async () => {
      const [sound] = KEY_VECTORS;
      if (sound === undefined) throw new Error("no vectors");
      const store = await harness.storeKey(encodeVerifyingKey(sound.key));
      for (const { fault, forgery } of KEY_VECTORS) {
        if (fault === null || forgery === null) continue;
        const proof = encodeZeroAware(forgery.proof);
        const signals = forgery.signals.map(BigInt);
        await expectRefusal({ store, proof, signals }, "Groth16_ProofInvalid");
      }
    });
  });

  it("test_SimulatorSolvesTheEquation", () => {
    expect(modulo(inverse(7n, R) * 7n, R)).to.equal(1n);
    expect(multiplyG1(G1_GENERATOR, R)).to.equal("zero");
  });
});
