import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, hashWords, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { type BaseContract, hexlify, type Signer, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { admit, deployRegistry } from "../utils/attestationFixture.ts";
import {
  deploySettlement,
  makeInference,
  signResult,
  versionParams,
} from "../utils/settlementFixture.ts";

const MAXIMUM_AGE = 3_600n;
/** Ten scores of 20 bits come first in the output word; the label has four. */
const labelIn = (word: bigint) => (word >> 200n) & 15n;

const connection = await network.create();
const { networkHelpers } = connection;

async function deploy() {
  const tee = await deployRegistry(connection);
  const base = await deploySettlement(connection);
  const { ethers, node, settlement, versionId } = base;
  // The owner of everything in this fixture.
  await settlement.setTeeRegistry(await tee.registry.getAddress());
  const { enclave } = await admit(tee, { operator: node, kind: "rsa" });
  const accounts = await ethers.getSigners();
  const [asker, stranger] = accounts.slice(-2);
  if (!asker || !stranger) throw new Error("no accounts");
  const parameters = [versionId, MAXIMUM_AGE] as const;
  const target = await settlement.getAddress();
  const name = "ExampleInferenceConsumer";
  const ofAnyNode = await ethers.deployContract(name, [target, ZeroAddress, ...parameters]);
  const enclaves = await tee.registry.getAddress();
  const ofEnclaves = await ethers.deployContract(name, [target, enclaves, ...parameters]);
  return { ...base, tee, enclave, asker, stranger, ofAnyNode, ofEnclaves };
}
type Fixture = Awaited<ReturnType<typeof deploy>>;
type Answer = Awaited<ReturnType<typeof answer>>;

/** The node's answer to the asker, with its receipt's signature and a proof. */
async function answer(fixture: Fixture, nonce: bigint, overrides: Partial<InferenceResult> = {}) {
  const { asker, node, domain } = fixture;
  const timestamp = BigInt(await networkHelpers.time.latest());
  const inference = makeInference({
    ...{ ...fixture, node: node.address, nonce, timestamp },
    overrides: { requester: asker.address, ...overrides },
  });
  const signature = await signResult({ signer: node, domain, result: inference.result });
  return { ...inference, signature };
}

/** A function of the example, whose types are made for `contracts/` only. */
const call = (consumer: BaseContract, sender: Signer, name: string) =>
  consumer.connect(sender).getFunction(name);

describe("the example of docs/integrating.md", () => {
  let fixture: Fixture;
  let honest: Answer;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
    // The words of a nonce are the same at any time: asked for first, answered afterwards.
    const { asker, ofAnyNode, ofEnclaves } = fixture;
    const { inputHash } = (await answer(fixture, 0n)).result;
    await call(ofAnyNode, asker, "ask")(inputHash);
    await call(ofEnclaves, asker, "ask")(inputHash);
    honest = await answer(fixture, 0n);
  });

  const accept = (
    { result, words, proof, signature }: Answer,
    { consumer = fixture.ofAnyNode, sender = fixture.asker } = {},
  ) => call(consumer, sender, "accept")(result, words, proof, signature);

  const settleFirst = ({ result, words, proof }: Answer) =>
    fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x");

  const expectRefusal = (attempt: Promise<unknown>, name: string) =>
    expect(attempt).to.be.revertedWithCustomError(fixture.ofAnyNode, `InferenceConsumer_${name}`);

  it("test_AcceptsAndSettlesWhen_TheRequestIsOpen", async () => {
    const { asker, ofAnyNode, settlement } = fixture;
    const label = labelIn(honest.words.at(-1) ?? 0n);
    await expect(accept(honest))
      .to.emit(ofAnyNode, "AnswerAccepted")
      .withArgs(asker.address, honest.result.requestId, label)
      .and.to.emit(settlement, "InferenceSettled");
    expect(await call(ofAnyNode, asker, "labels")(asker.address)).to.equal(label);
    expect(await settlement.isSettled(honest.result.requestId)).to.equal(true);
  });

  it("test_AcceptsWhen_SomebodyHasSettledTheRequest", async () => {
    await settleFirst(honest);
    await expect(accept(honest)).to.emit(fixture.ofAnyNode, "AnswerAccepted");
  });

  // The record has one bit: it would look the same whatever was settled under the request, and however.
  describe("where the request is settled, for all that", () => {
    beforeEach(() => settleFirst(honest));

    it("test_RevertWhen_TheProofIsNotForThisResult", async () => {
      const other = await answer(fixture, 0n, { price: 1n });
      await expect(accept({ ...other, proof: honest.proof })).to.be.revertedWithCustomError(
        fixture.settlement,
        "Groth16_ProofInvalid",
      );
    });

    it("test_RevertWhen_TheNodeHasNotSignedThisResult", async () => {
      const other = await answer(fixture, 0n, { price: 1n });
      await expectRefusal(
        accept({ ...other, signature: honest.signature }),
        "NodeSignatureInvalid",
      );
    });

    for (const [name, index] of [
      ["Input", 0],
      ["Output", 2],
    ] as const) {
      it(`test_RevertWhen_${name}WordsAreNotTheResults`, async () => {
        const words = honest.words.with(index, 1n);
        await expectRefusal(accept({ ...honest, words }), "WordsNotTheResults");
      });
    }

    it("test_RevertWhen_WordsAreMissing", async () => {
      await expectRefusal(
        accept({ ...honest, words: honest.words.slice(1) }),
        "WordsNotTheResults",
      );
    });
  });

  it("test_RevertWhen_OfAnotherVersion", async () => {
    const other = await answer(fixture, 0n, { modelVersion: `0x${"11".repeat(32)}` });
    await expectRefusal(accept(other), "WrongVersion");
  });

  it("test_RevertWhen_TheVersionIsDeprecated_ThoughItStillSettles", async () => {
    const { owner, registry, settlement, versionId } = fixture;
    await registry.connect(owner).deprecateVersion(versionId);
    await expectRefusal(accept(honest), "VersionNotPublished");
    await expect(settleFirst(honest)).to.emit(settlement, "InferenceSettled");
  });

  it("test_RevertWhen_SomebodyElseBringsIt", async () => {
    await expectRefusal(accept(honest, { sender: fixture.stranger }), "NotTheRequester");
  });

  it("test_RevertWhen_NothingWasAsked", async () => {
    const { stranger } = fixture;
    const unasked = await answer(fixture, 0n, { requester: stranger.address });
    await expectRefusal(accept(unasked, { sender: stranger }), "WrongInput");
  });

  it("test_RevertWhen_ItAnswersAnotherInput", async () => {
    const other = await answer(fixture, 1n);
    expect(other.result.inputHash).not.to.equal(hashWords(honest.words.slice(0, 2)));
    await expectRefusal(accept(other), "WrongInput");
  });

  it("test_RevertWhen_AnsweredBeforeItWasAsked_ByMoreThanClocksDiffer", async () => {
    const { asker, ofAnyNode } = fixture;
    const { askedAt } = await call(ofAnyNode, asker, "questions")(asker.address);
    const early = await answer(fixture, 0n, { timestamp: askedAt - 61n });
    await expectRefusal(accept(early), "AnsweredBeforeAsked");
    const inTime = await answer(fixture, 0n, { timestamp: askedAt - 60n });
    await expect(accept(inTime)).to.emit(ofAnyNode, "AnswerAccepted");
  });

  it("test_AcceptsUntilMaximumAge_AndNotASecondLater", async () => {
    const latest = honest.result.timestamp + MAXIMUM_AGE;
    const { time } = networkHelpers;
    const snapshot = await networkHelpers.takeSnapshot();
    await time.setNextBlockTimestamp(latest + 1n);
    await expectRefusal(accept(honest), "TooOld");
    await snapshot.restore();
    await time.setNextBlockTimestamp(latest);
    await expect(accept(honest)).to.emit(fixture.ofAnyNode, "AnswerAccepted");
  });

  it("test_RevertWhen_UsedAgain_ThoughAskedForAgain", async () => {
    const { asker, ofAnyNode } = fixture;
    await accept(honest);
    await call(ofAnyNode, asker, "ask")(honest.result.inputHash);
    await expectRefusal(accept(await answer(fixture, 0n)), "AlreadyUsed");
  });

  describe("where enclaves answer", () => {
    /** An enclave's answer to the asker: its signature in place of a proof, and nobody's receipt. */
    const ofEnclave = async (
      overrides: Partial<InferenceResult> = {},
      signer: SimulatedEnclave = fixture.enclave,
    ): Promise<Answer> => {
      const { teeId } = fixture.enclave;
      const requestId = encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n });
      const given = await answer(fixture, 0n, { teeId, requestId, ...overrides });
      const digest = hashResult({ domain: fixture.domain, result: given.result });
      return { ...given, proof: hexlify(signer.sign(digest)), signature: "0x" };
    };
    const acceptOfEnclave = (given: Answer) => accept(given, { consumer: fixture.ofEnclaves });

    it("test_AcceptsAndSettles_WhatAnActiveEnclaveSigned", async () => {
      const given = await ofEnclave();
      await expect(acceptOfEnclave(given)).to.emit(fixture.ofEnclaves, "AnswerAccepted");
      expect(await fixture.settlement.isSettled(given.result.requestId)).to.equal(true);
    });

    it("test_AcceptsWhen_SomebodyHasSettledIt", async () => {
      const given = await ofEnclave();
      await fixture.settlement.settleTee(given.result, given.proof);
      await expect(acceptOfEnclave(given)).to.emit(fixture.ofEnclaves, "AnswerAccepted");
    });

    it("test_AcceptsWhen_TheEnclavesClockIsAheadOfTheChains", async () => {
      const ahead = await ofEnclave({ timestamp: honest.result.timestamp + 30n });
      await expect(acceptOfEnclave(ahead)).to.emit(fixture.ofEnclaves, "AnswerAccepted");
    });

    it("test_RevertWhen_NoEnclaveIsNamed", async () => {
      await expectRefusal(acceptOfEnclave(honest), "EnclaveNotActive");
    });

    it("test_RevertWhen_TheEnclaveHasStopped", async () => {
      const { node, tee, enclave } = fixture;
      const given = await ofEnclave();
      await tee.registry.connect(node).disableTEE(enclave.teeId);
      await expectRefusal(acceptOfEnclave(given), "EnclaveNotActive");
    });

    it("test_RevertWhen_TheEnclaveWasNotActiveWhenItAnswered", async () => {
      const { node, tee, enclave } = fixture;
      await tee.registry.connect(node).disableTEE(enclave.teeId);
      const given = await ofEnclave({ timestamp: BigInt(await networkHelpers.time.latest()) });
      await networkHelpers.time.increase(60);
      await tee.registry.connect(node).enableTEE(enclave.teeId);
      await expectRefusal(acceptOfEnclave(given), "EnclaveNotActive");
    });

    it("test_RevertWhen_TheRequestIsSomebodyElses", async () => {
      const requestId = encodeRequestId({ node: fixture.stranger.address, nonce: 0n });
      await expectRefusal(acceptOfEnclave(await ofEnclave({ requestId })), "NotTheEnclavesRequest");
    });

    it("test_RevertWhen_AnotherEnclaveSigned_SettledOrNot", async () => {
      const { stranger, tee, settlement } = fixture;
      const { enclave: other } = await admit(tee, { operator: stranger, kind: "rsa" });
      const forged = await ofEnclave({}, other);
      await expectRefusal(acceptOfEnclave(forged), "NotTheEnclavesSignature");
      const { result, proof } = await ofEnclave();
      await settlement.settleTee(result, proof);
      await expectRefusal(acceptOfEnclave(forged), "NotTheEnclavesSignature");
    });

    it("test_RevertWhen_TheWordsAreNotWhatWasSigned", async () => {
      const given = await ofEnclave();
      const words = given.words.with(-1, (given.words.at(-1) ?? 0n) ^ (1n << 200n));
      await expectRefusal(acceptOfEnclave({ ...given, words }), "WordsNotTheResults");
    });
  });

  it("test_RevertWhen_TheVersionIsNoClassifiers", async () => {
    const { ethers, registry, owner, modelId, settlement, trapdoor, verifyingKey } = fixture;
    expect(trapdoor.ic.length).to.equal(5);
    const scores = { count: 10, bits: 20, isSigned: true, scaleExponent: 0 };
    const overrides = { major: 2, outputLayout: [scores] };
    await registry
      .connect(owner)
      .publishVersion(modelId, versionParams({ verifyingKey, overrides }));
    const version = await registry.computeVersionId(modelId, 2, 0);
    const target = await settlement.getAddress();
    const parameters = [target, ZeroAddress, version, MAXIMUM_AGE] as const;
    await expectRefusal(
      ethers.deployContract("ExampleInferenceConsumer", [...parameters]),
      "OutputLayoutUnexpected",
    );
  });
});
