import { hashWords } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeRequestId } from "@haca/protocol/requestId";
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import { R } from "../utils/bn254.ts";
import { makeVerifyingKey } from "../utils/groth16Simulator.ts";
import { answerAt, deployOptimistic } from "../utils/optimisticFixture.ts";
import {
  COMMITTED,
  deploySettlement,
  type Inference,
  latestTimestamp,
  makeInference,
  OUTPUT_LAYOUT,
  PACKED,
  prove,
  randomWords,
  type SettlementFixture,
  versionParams,
} from "../utils/settlementFixture.ts";
import { itemsOf } from "../utils/zkmlBatch.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const deployPacked = () => deploySettlement(connection);
const deployCommitted = () => deploySettlement(connection, { inputMode: COMMITTED });
const deployPages = () => deployOptimistic(connection);
/** Above every packed word, and the greatest that there is. */
const COMMITMENTS = [1n << 248n, R - 1n];

/** An answer to an input word, proved by whoever has `proved` in its place. */
function answer(
  fixture: SettlementFixture,
  input: bigint,
  { nonce = 0n, timestamp, proved = input }: { nonce?: bigint; timestamp: bigint; proved?: bigint },
): Inference {
  const { inputWordCount, node } = fixture;
  const made = makeInference({ ...fixture, node: node.address, nonce, timestamp });
  const words = made.words.with(0, input);
  const inputHash = hashWords(words.slice(0, inputWordCount));
  const result = { ...made.result, inputHash };
  return { result, words, proof: prove({ ...fixture, result, words: words.with(0, proved) }) };
}

const both = (fixture: SettlementFixture) => {
  const { node, settlement: contract, versionId } = fixture;
  const settlement = contract.connect(node);
  return {
    alone: ({ result, words, proof }: Inference) =>
      settlement.settleZkml(result, words, proof, "0x"),
    inABatch: (one: Inference) =>
      settlement.settleZkmlBatch(versionId, node.address, itemsOf([one]), "0x"),
  };
};

describe("InferenceSettlement: committed inputs", () => {
  let fixture: SettlementFixture;
  let timestamp: bigint;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deployCommitted);
    timestamp = await latestTimestamp(fixture);
  });

  const expectRefusal = async (one: Inference, error: string) => {
    for (const settle of Object.values(both(fixture))) {
      await expect(settle(one)).to.be.revertedWithCustomError(fixture.settlement, error);
    }
    expect(await fixture.settlement.isSettled(one.result.requestId)).to.equal(false);
  };

  it("test_SettlesUnderAnyElementOfTheField, alone and in a batch", async () => {
    let nonce = 0n;
    for (const commitment of COMMITMENTS) {
      for (const settle of Object.values(both(fixture))) {
        const one = answer(fixture, commitment, { nonce: nonce++, timestamp });
        await settle(one);
        expect(await fixture.settlement.isSettled(one.result.requestId)).to.equal(true);
      }
    }
  });

  it("test_RevertWhen_CommitmentIsNoElement: the same one, higher by the field's order", async () => {
    const commitment = 5n;
    for (const alias of [R, R + commitment, 2n * R + commitment]) {
      const one = answer(fixture, alias, { timestamp, proved: alias % R });
      await expectRefusal(one, "Groth16_PublicSignalOutOfRange");
    }
    await both(fixture).alone(answer(fixture, commitment, { timestamp }));
  });

  it("test_RevertWhen_ProofIsOfAnotherCommitment", async () => {
    const [commitment = 0n, other = 0n] = COMMITMENTS;
    await expectRefusal(
      answer(fixture, other, { timestamp, proved: commitment }),
      "Groth16_ProofInvalid",
    );
  });

  it("test_RevertWhen_CommitmentIsNotTheResults", async () => {
    const [commitment = 0n, other = 0n] = COMMITMENTS;
    const one = answer(fixture, commitment, { timestamp });
    const moved = { ...one, words: one.words.with(0, other) };
    await expect(both(fixture).alone(moved)).to.be.revertedWithCustomError(
      fixture.settlement,
      "InferenceSettlement_InputHashMismatch",
    );
    // A batch has no hash beside the words: another word is another result, which the proof is not of.
    await expect(both(fixture).inABatch(moved)).to.be.revertedWithCustomError(
      fixture.settlement,
      "Groth16_ProofInvalid",
    );
    await both(fixture).alone(one);
  });

  it("test_RevertWhen_TensorsAreBesideTheCommitment", async () => {
    const one = answer(fixture, 5n, { timestamp });
    const words = one.words.toSpliced(1, 0, 7n);
    await expect(both(fixture).alone({ ...one, words }))
      .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_WordCountInvalid")
      .withArgs(2n, 3n);
  });
});

describe("InferenceSettlement: packed inputs beside them", () => {
  it("test_RevertWhen_WordHasABitThatNoElementHas: nothing proves it", async () => {
    const fixture = await networkHelpers.loadFixture(deployPacked);
    const timestamp = await latestTimestamp(fixture);
    for (const bit of [1n << 248n, 1n << 253n]) {
      const one = answer(fixture, bit + 5n, { timestamp, proved: 5n });
      for (const settle of Object.values(both(fixture))) {
        await expect(settle(one)).to.be.revertedWithCustomError(
          fixture.settlement,
          "Groth16_ProofInvalid",
        );
      }
    }
  });
});

describe("PageSettlement: committed inputs", () => {
  it("test_RevertWhen_AVersionOfHiddenInputsIsAdmitted: nobody could doubt its answers", async () => {
    const f = await loadAtItsTime(connection, deployPages);
    const modelId = computeModelId({ owner: f.governance.address, slug: "digits" });
    // The key has three words: of the input and two of outputs.
    const word = { count: 1, bits: 248, isSigned: false, scaleExponent: 0 };
    const [inputLayout, outputLayout] = [[word], [...OUTPUT_LAYOUT, word]];
    const verifyingKey = makeVerifyingKey(f.trapdoor);
    for (const [major, inputMode] of [
      [2, COMMITTED],
      [3, PACKED],
    ] as const) {
      const modelVersion = computeVersionId({ modelId, major, minor: 0 });
      const overrides = { major, inputMode, inputLayout, outputLayout };
      await f.models
        .connect(f.governance)
        .publishVersion(modelId, versionParams({ verifyingKey, overrides }));
      const words = randomWords({ seed: "under a commitment", count: 3 });
      const hashes = {
        inputHash: hashWords(words.slice(0, 1)),
        outputHash: hashWords(words.slice(1)),
      };
      const requestId = encodeRequestId({ node: f.node.address, nonce: BigInt(major) << 41n });
      const { result } = await answerAt(f, 0, { modelVersion, ...hashes, requestId, price: 1n });
      const proof = prove({ ...f, result, words });
      await f.settlement.connect(f.node).settleZkml(result, words, proof, "0x");
      const digest = await f.settlement.digestOf(requestId);
      const isOpen = inputMode === PACKED;
      expect(await f.settlement.openDigestOf(requestId, modelVersion)).to.equal(
        isOpen ? digest : ZeroHash,
      );
      const admission = f.pages.admitVersion(result);
      if (isOpen) await admission;
      else {
        await expect(admission)
          .to.be.revertedWithCustomError(f.pages, "PageSettlement_NotAdmissible")
          .withArgs(modelVersion);
      }
    }
    await expect(f.settlement.openDigestOf(ZeroHash, ZeroHash)).to.be.revertedWithCustomError(
      f.models,
      "ModelRegistry_VersionUnknown",
    );
  });
});
