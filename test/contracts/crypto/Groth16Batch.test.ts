import { expect } from "chai";
import { AbiCoder, concat, dataLength, dataSlice, id, keccak256, toBeHex } from "ethers";
import { network } from "hardhat";
import { addG1, G1_GENERATOR, multiplyG1, negateG1, P, pointOutsideG2, R } from "../utils/bn254.ts";
import { deployMock } from "../utils/deployMock.ts";
import {
  decodeG1,
  encodeG1,
  encodeG2,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../utils/groth16Simulator.ts";
import { replaceInProof, splitProof } from "../utils/proofParts.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";

const { ethers, networkHelpers } = await network.create();
const RUNS = process.env.HACA_DEEP === "1" ? 200 : 16;
const WORD = 32;
const CONTEXT_LIMIT = 1n << 248n;

/** Proofs as the library takes them: `A | B | C | words` of each, and the contexts. */
type Batch = {
  store: string;
  wordCount: number;
  proofs: string[];
  words: bigint[][];
  contexts: bigint[];
};

describe("Groth16Batch", () => {
  const deploy = () => deployMock(ethers, "Groth16BatchHarness");
  let harness: Awaited<ReturnType<typeof deploy>>;

  beforeEach(async () => {
    harness = await networkHelpers.loadFixture(deploy);
  });

  const storeKey = async (key: string): Promise<string> => {
    const store = await harness.storeKey.staticCall(key);
    await harness.storeKey(key);
    return store;
  };

  const makeBatch = async (seed: string, count: number, signalCount: number): Promise<Batch> => {
    const random = scalarsFrom(seed);
    const trapdoor = makeTrapdoor({ signalCount, random });
    const words = Array.from({ length: count }, () =>
      Array.from({ length: signalCount - 1 }, random),
    );
    const contexts = words.map(() => random() % CONTEXT_LIMIT);
    const proofs = words.map((own, i) =>
      makeProof({ trapdoor, signals: [...own, contexts[i] as bigint], a: random(), b: random() }),
    );
    const store = await storeKey(makeVerifyingKey(trapdoor));
    return { store, wordCount: signalCount - 1, proofs, words, contexts };
  };
  const pack = ({ proofs, words }: Batch): string =>
    concat(
      proofs.flatMap((proof, i) => [
        proof,
        ...(words[i] as bigint[]).map((word) => toBeHex(word, WORD)),
      ]),
    );
  const args = (batch: Batch) =>
    [batch.store, batch.wordCount, pack(batch), batch.contexts] as const;
  const verify = (batch: Batch) => harness.verify(...args(batch));
  const expectRefusal = async (batch: Batch, error: string) => {
    await expect(verify(batch)).to.be.revertedWithCustomError(harness, error);
    expect(await harness.holds(...args(batch))).to.equal(false);
  };

  it("testFuzz_AgreesWithSingleVerification", async () => {
    // Random keys, sizes and signals. One thing changed somewhere: the batch is refused, and so is that proof alone.
    for (let run = 0; run < RUNS; run++) {
      const count = 1 + (run % 7);
      const batch = await makeBatch(`differential ${run}`, count, 1 + (run % 5));
      await verify(batch);
      const random = scalarsFrom(`tamper ${run}`);
      const index = Number(random() % BigInt(count));
      const changed: Batch =
        run % 2 === 0
          ? { ...batch, contexts: batch.contexts.with(index, random() % CONTEXT_LIMIT) }
          : {
              ...batch,
              proofs: batch.proofs.with(
                index,
                replaceInProof(batch.proofs[index] as string, {
                  c: encodeG1(multiplyG1(G1_GENERATOR, random())),
                }),
              ),
            };
      await expectRefusal(changed, "Groth16_ProofInvalid");
    }
  });

  it("test_RevertWhen_ErrorsCancelWithoutCoefficients", async () => {
    // C + D in one proof and C - D in another: the plain product is the same.
    const batch = await makeBatch("cancel", 2, 2);
    const delta = multiplyG1(G1_GENERATOR, 12_345n);
    const moved = batch.proofs.map((proof, i) => {
      const { c } = splitProof(proof);
      return replaceInProof(proof, { c: addPoints(c, delta, i === 0) });
    });
    await expectRefusal({ ...batch, proofs: moved }, "Groth16_ProofInvalid");
  });

  it("test_RevertWhen_AWordIsNotBelowTheOrder", async () => {
    const batch = await makeBatch("order", 2, 3);
    for (const value of [R, R + (batch.words[1]?.[0] as bigint), (1n << 256n) - 1n]) {
      const words = batch.words.with(1, [value, batch.words[1]?.[1] as bigint]);
      await expectRefusal({ ...batch, words }, "Groth16_PublicSignalOutOfRange");
    }
  });

  it("test_RevertWhen_APointIsNotOnItsCurve_OrNotInItsGroup_OrInfinite", async () => {
    const batch = await makeBatch("points", 3, 2);
    const proof = batch.proofs[1] as string;
    const { a } = splitProof(proof);
    const x = BigInt(dataSlice(a, 0, 32));
    const y = BigInt(dataSlice(a, 32));
    for (const change of [
      { a: `0x${"00".repeat(64)}` },
      { a: concat([toBeHex(x, 32), toBeHex(y + 1n, 32)]) },
      { a: concat([toBeHex(x + P, 32), toBeHex(y, 32)]) },
      { b: `0x${"01".repeat(128)}` },
      { b: encodeG2(pointOutsideG2()) },
      { c: `0x${"01".repeat(64)}` },
    ]) {
      const proofs = batch.proofs.with(1, replaceInProof(proof, change));
      await expectRefusal({ ...batch, proofs }, "Groth16_ProofPointInvalid");
    }
  });

  it("test_RevertWhen_ThereIsNoKey", async () => {
    const batch = await makeBatch("missing", 1, 2);
    const [nobody] = await ethers.getSigners();
    await expect(verify({ ...batch, store: nobody?.address ?? "" })).to.be.revertedWithCustomError(
      harness,
      "Groth16_KeyMissing",
    );
  });

  it("test_ChallengeChangesWithEveryByte_TheKey_AndTheCount", async () => {
    const batch = await makeBatch("challenge", 3, 2);
    const challengeOf = (one: Batch, proofs = pack(one)) =>
      harness.challengeOf(one.store, one.wordCount, proofs, one.contexts);
    const seen = new Set<string>([await challengeOf(batch)]);
    const packed = pack(batch);
    for (let offset = 0; offset < dataLength(packed); offset++) {
      const byte = Number.parseInt(dataSlice(packed, offset, offset + 1), 16) ^ 1;
      const changed = concat([
        dataSlice(packed, 0, offset),
        toBeHex(byte, 1),
        dataSlice(packed, offset + 1),
      ]);
      seen.add(await challengeOf(batch, changed));
    }
    for (let index = 0; index < 3; index++) {
      for (let bit = 0n; bit < 248n; bit++) {
        const contexts = batch.contexts.with(
          index,
          (batch.contexts[index] as bigint) ^ (1n << bit),
        );
        seen.add(await challengeOf({ ...batch, contexts }));
      }
    }
    const another = await makeBatch("another key", 1, 2);
    seen.add(await challengeOf({ ...batch, store: another.store }));
    const fewer = {
      ...batch,
      ...{ proofs: batch.proofs.slice(0, 2), words: batch.words.slice(0, 2) },
      contexts: batch.contexts.slice(0, 2),
    };
    seen.add(await challengeOf(fewer));
    // Another contract: its address is in the hash.
    const elsewhere = await deploy();
    seen.add(await elsewhere.challengeOf(batch.store, batch.wordCount, packed, batch.contexts));
    expect(seen.size).to.equal(1 + dataLength(packed) + 3 * 248 + 3);
  });

  it("test_ChallengeIsAChainOverAllProofs_AndTheirNumber", async () => {
    const batch = await makeBatch("chain", 3, 3);
    const { chainId } = await ethers.provider.getNetwork();
    const frame = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint256", "address", "address"],
      [id("HACA Groth16 batch 2"), chainId, await harness.getAddress(), batch.store],
    );
    let hash = keccak256(frame);
    for (const [i, proof] of batch.proofs.entries()) {
      const signals = [...(batch.words[i] as bigint[]), batch.contexts[i] as bigint];
      hash = keccak256(concat([proof, ...signals.map((signal) => toBeHex(signal, WORD)), hash]));
    }
    expect(await harness.challengeOf(...args(batch))).to.equal(
      keccak256(concat([hash, toBeHex(3, WORD)])),
    );
  });

  it("test_TouchesNoMemoryButItsOwn", async () => {
    // Few and many words: behind the last pair stand a proof's words, its context and a hash.
    for (const [count, signalCount] of [
      [1, 1],
      [4, 3],
      [2, 40],
    ] as const) {
      const batch = await makeBatch(`memory ${signalCount}`, count, signalCount);
      expect(await harness.leavesMemoryAlone(...args(batch))).to.equal(true);
    }
  });

  it("test_AClearedBatchRemembersNothing", async () => {
    const batch = await makeBatch("cleared", 5, 3);
    const bad = batch.proofs.with(1, batch.proofs[0] as string).with(3, `0x${"01".repeat(256)}`);
    expect(await harness.holdEach(...args({ ...batch, proofs: bad }))).to.deep.equal([
      ...[true, false, true, false, true],
    ]);
  });

  it("test_NamesAWordOutsideTheField_BehindABadPoint", async () => {
    // A point that is bad stops the first pass; a word of a later proof is named all the same, and not one that is skipped.
    const batch = await makeBatch("order of errors", 3, 3);
    const proofs = batch.proofs.with(0, `0x${"01".repeat(256)}`);
    await expectRefusal({ ...batch, proofs }, "Groth16_ProofPointInvalid");
    for (const index of [0, 1, 2]) {
      const words = batch.words.with(index, [batch.words[index]?.[0] as bigint, R + 5n]);
      await expect(verify({ ...batch, proofs, words }))
        .to.be.revertedWithCustomError(harness, "Groth16_PublicSignalOutOfRange")
        .withArgs(1n, R + 5n);
    }
  });
});

/** P + D, or P - D, for encoded points. */
function addPoints(point: string, delta: ReturnType<typeof multiplyG1>, isSum: boolean): string {
  return encodeG1(addG1(decodeG1(point), isSum ? delta : negateG1(delta)));
}
