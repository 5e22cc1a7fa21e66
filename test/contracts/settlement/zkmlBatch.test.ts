import { hashResult } from "@haca/protocol/inferenceResult";
import { computeVersionId } from "@haca/protocol/modelIds";
import { ledgerPageOf } from "@haca/protocol/requestId";
import { decodeZkmlBatch, resultOfItem } from "@haca/protocol/zkmlBatch";
import { expect } from "chai";
import { AbiCoder, concat, dataLength, dataSlice, id, keccak256, ZeroHash } from "ethers";
import { network } from "hardhat";
import { R } from "../utils/bn254.ts";
import { makeTrapdoor, makeVerifyingKey } from "../utils/groth16Simulator.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import {
  deploySettlement,
  type Inference,
  latestTimestamp,
  makeInference,
  SETTLEMENT_WINDOW,
  type SettlementFixture,
  SIGNAL_COUNT,
  signResult,
  versionParams,
} from "../utils/settlementFixture.ts";
import { itemsOf, makeInferences, signBatch } from "../utils/zkmlBatch.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const deploy = () => deploySettlement(connection);
const COUNT = 8;

describe("InferenceSettlement: batches of proofs", () => {
  let fixture: SettlementFixture;
  let now: bigint;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
    now = await latestTimestamp(fixture);
  });

  const infer = (count = COUNT, first = 0n, overrides?: Partial<Inference["result"]>) =>
    makeInferences({
      ...{ fixture, count, first, timestamp: now },
      ...(overrides === undefined ? {} : { overrides }),
    });

  /** The node settles items. */
  const settle = (items: string, versionId = fixture.versionId) =>
    fixture.settlement
      .connect(fixture.node)
      .settleZkmlBatch(versionId, fixture.node.address, items, "0x");
  const settleAll = (inferences: readonly Inference[]) => settle(itemsOf(inferences));
  const relay = (items: string, signature: string) =>
    fixture.settlement
      .connect(fixture.relayer)
      .settleZkmlBatch(fixture.versionId, fixture.node.address, items, signature);
  const settleAlone = ({ result, words, proof }: Inference) =>
    fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x");
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(fixture.settlement, error);
  const expectSettled = async (inferences: readonly Inference[], settled = true) => {
    for (const { result } of inferences) {
      expect(await fixture.settlement.isSettled(result.requestId)).to.equal(settled);
    }
  };
  const swap = (inferences: readonly Inference[], index: number, change: Partial<Inference>) =>
    inferences.map((one, i) => (i === index ? { ...one, ...change } : one));

  describe("what it settles", () => {
    it("test_SettlesEveryItem_WithAnEventAndWithoutWords", async () => {
      const inferences = infer(COUNT, 252n, { requester: fixture.relayer.address });
      const call = settleAll(inferences);
      for (const { result } of inferences) {
        await expect(call)
          .to.emit(fixture.settlement, "ZkmlBatchItemSettled")
          .withArgs(
            ...[result.requestId, result.modelVersion, result.requester],
            ...[result.inputHash, result.outputHash, result.price, result.timestamp],
          );
      }
      await expectSettled(inferences);
      // Four at the end of a page, four at the begin of the next.
      const node = fixture.node.address;
      for (const [index, bitmap] of [
        [0n, 0xfn << 252n],
        [1n, 0xfn],
      ] as const) {
        expect(await fixture.settlement.occupied(ledgerPageOf({ node, index }))).to.equal(bitmap);
      }
    });

    it("test_SettlesWhen_RelayedWithTheNodesSignature", async () => {
      const inferences = infer(2);
      const items = itemsOf(inferences);
      await relay(items, await signBatch({ fixture, signer: fixture.node, items }));
      await expectSettled(inferences);
    });

    it("test_SettlesWhen_NoncesJumpBetweenPages", async () => {
      const inferences = [5n, 300n, 6n, 301n].flatMap((nonce) => infer(1, nonce));
      await settleAll(inferences);
      await expectSettled(inferences);
    });

    it("test_BindingsReadTheItemsAgain", async () => {
      const inferences = infer(3, 9n, { price: 5n, requester: fixture.relayer.address });
      const items = decodeZkmlBatch({ items: itemsOf(inferences), wordCount: SIGNAL_COUNT - 1 });
      for (const [index, item] of items.entries()) {
        const { modelVersion } = inferences[index]?.result ?? { modelVersion: "" };
        expect(
          resultOfItem({ modelVersion, node: fixture.node.address, inputWordCount: 2, item }),
        ).to.deep.equal(inferences[index]?.result);
      }
    });

    it("test_KeepsTheDigestOfWhatHasAPrice", async () => {
      const [free, priced] = [...infer(1), ...infer(1, 1n, { price: 1n })];
      if (free === undefined || priced === undefined) throw new Error("no inferences");
      await settleAll([free, priced]);
      const digest = hashResult({ domain: fixture.domain, result: priced.result });
      expect(await fixture.settlement.digestOf(priced.result.requestId)).to.equal(
        keccak256(AbiCoder.defaultAbiCoder().encode(["uint8", "bytes32"], [1, digest])),
      );
      expect(await fixture.settlement.digestOf(free.result.requestId)).to.equal(ZeroHash);
    });
  });

  describe("what others have settled", () => {
    it("test_SkipsWhatIsTaken_AtEveryPosition", async () => {
      for (let index = 0; index < COUNT; index++) {
        const inferences = infer(COUNT, 256n * BigInt(index));
        const taken = inferences[index] as Inference;
        await settleAlone(taken);
        // Skipped as if it were not there: its proof is not looked at, not even its points.
        const items = itemsOf(
          swap(inferences, index, { proof: `0x${"ff".repeat(256)}`, words: [R, R, R] }),
        );
        expect(
          await fixture.settlement
            .connect(fixture.node)
            .settleZkmlBatch.staticCall(fixture.versionId, fixture.node.address, items, "0x"),
        ).to.equal(BigInt(COUNT - 1));
        await settle(items);
        await expectSettled(inferences);
      }
    });

    it("test_SettlesOnceWhatComesTwiceInABatch", async () => {
      const [first, second] = infer(2);
      if (first === undefined || second === undefined) throw new Error("no inferences");
      const receipt = await (await settleAll([first, second, first])).wait();
      expect(receipt?.logs.length).to.equal(2);
    });

    it("test_SettlesOnceWhatComesTwice_AlsoWhenThePageWasLeft", async () => {
      const inferences = [5n, 300n, 5n, 301n, 300n, 6n].flatMap((nonce) => infer(1, nonce));
      const receipt = await (await settleAll(inferences)).wait();
      expect(receipt?.logs.length).to.equal(4);
      await expectSettled(inferences);
    });

    it("test_RevertWhen_EverythingIsTaken", async () => {
      const inferences = infer(3);
      await settleAll(inferences);
      await expectRefusal(settleAll(inferences), "InferenceSettlement_NothingToSettle");
    });

    it("test_RevertWhen_ABatchesItemIsSettledAlone", async () => {
      const [first] = infer(1);
      if (first === undefined) throw new Error("no inference");
      await settleAll([first]);
      await expectRefusal(settleAlone(first), "InferenceSettlement_AlreadySettled");
    });

    it("test_RevertWhen_ASignedBatchIsSentAgain", async () => {
      const items = itemsOf(infer(2));
      const signature = await signBatch({ fixture, signer: fixture.node, items });
      await relay(items, signature);
      await expectRefusal(relay(items, signature), "InferenceSettlement_NothingToSettle");
    });
  });

  describe("one bad item", () => {
    it("test_RevertWhen_AProofIsOfAnotherResult_AtEveryPosition", async () => {
      const inferences = infer();
      for (let index = 0; index < COUNT; index++) {
        const other = inferences[(index + 1) % COUNT] as Inference;
        const items = itemsOf(swap(inferences, index, { proof: other.proof }));
        await expectRefusal(settle(items), "Groth16_ProofInvalid");
        expect(
          await fixture.settlement.findInvalid(fixture.versionId, fixture.node.address, items),
        ).to.deep.equal([BigInt(index)]);
      }
      await expectSettled(inferences, false);
    });

    it("test_RevertWhen_TwoProofsAreSwapped", async () => {
      // Their sum is that of two true proofs: without coefficients the batch would hold.
      const [first, second, ...rest] = infer();
      if (first === undefined || second === undefined) throw new Error("no inferences");
      const swapped = [
        { ...first, proof: second.proof },
        { ...second, proof: first.proof },
      ];
      await expectRefusal(settleAll([...swapped, ...rest]), "Groth16_ProofInvalid");
    });

    it("test_RevertWhen_APointIsNotOnItsCurve_AtEveryPosition", async () => {
      const inferences = infer();
      for (let index = 0; index < COUNT; index++) {
        const { proof } = inferences[index] as Inference;
        for (const [start, length] of [
          [0, 64],
          [64, 128],
          [192, 64],
        ] as const) {
          const bad = concat([
            dataSlice(proof, 0, start),
            `0x${"01".repeat(length)}`,
            dataSlice(proof, start + length),
          ]);
          const items = itemsOf(swap(inferences, index, { proof: bad }));
          await expectRefusal(settle(items), "Groth16_ProofPointInvalid");
        }
      }
    });

    it("test_RevertWhen_AWordIsNotReduced_AtEveryPosition", async () => {
      const inferences = infer();
      for (let index = 0; index < COUNT; index++) {
        const { words } = inferences[index] as Inference;
        for (let word = 0; word < words.length; word++) {
          const aliased = words.with(word, (words[word] as bigint) + R);
          const items = itemsOf(swap(inferences, index, { words: aliased }));
          await expectRefusal(settle(items), "Groth16_PublicSignalOutOfRange");
        }
      }
    });

    it("test_RevertWhen_AnyByteOfAnItemChanges", async () => {
      const items = itemsOf(infer(2));
      const half = dataLength(items) / 2;
      const random = scalarsFrom("bytes of an item");
      for (let offset = 0; offset < half; offset++) {
        const byte = Number.parseInt(dataSlice(items, half + offset, half + offset + 1), 16);
        const flipped = byte ^ (1 << Number(random() % 8n));
        const changed = concat([
          dataSlice(items, 0, half + offset),
          `0x${flipped.toString(16).padStart(2, "0")}`,
          dataSlice(items, half + offset + 1),
        ]);
        // A time from the future or long ago is refused before the proof is, another nonce by the proof.
        await expect(settle(changed)).to.revert(connection.ethers);
      }
    });

    it("test_RevertWhen_AnItemIsLate_OrFromTheFuture", async () => {
      const late = infer(1, 0n, { timestamp: now - SETTLEMENT_WINDOW - 100n });
      const early = infer(1, 0n, { timestamp: now + 1_000n });
      const rest = infer(3, 1n);
      await expectRefusal(settleAll([...rest, ...late]), "InferenceSettlement_ResultExpired");
      await expectRefusal(settleAll([...rest, ...early]), "InferenceSettlement_ResultFromFuture");
    });

    it("test_TimesAreJudgedToTheSecond_AlsoBehindTheYoungest", async () => {
      const sent = now + 1_000n;
      const hour = 3_600n;
      const at = (offset: bigint, nonce: bigint) => infer(1, nonce, { timestamp: sent + offset });
      const good = [60n, 59n, 0n, -hour, -hour - 1n, -SETTLEMENT_WINDOW].flatMap((offset, index) =>
        at(offset, BigInt(index)),
      );
      for (const [offset, error] of [
        [61n, "InferenceSettlement_ResultFromFuture"],
        [-SETTLEMENT_WINDOW - 1n, "InferenceSettlement_ResultExpired"],
      ] as const) {
        await networkHelpers.time.setNextBlockTimestamp(sent);
        const snapshot = await networkHelpers.takeSnapshot();
        await expectRefusal(settleAll([...good, ...at(offset, 20n)]), error);
        await snapshot.restore();
      }
      await networkHelpers.time.setNextBlockTimestamp(sent);
      await settleAll(good);
      await expectSettled(good);
    });

    it("test_RevertWhen_AnItemIsFromAfterTheDeprecation", async () => {
      const before = infer(2);
      await fixture.registry.connect(fixture.owner).deprecateVersion(fixture.versionId);
      const after = infer(1, 2n, { timestamp: await latestTimestamp(fixture) });
      await expectRefusal(
        settleAll([...before, ...after]),
        "InferenceSettlement_VersionDeprecated",
      );
      await settleAll(before);
      await expectSettled(before);
    });
  });

  describe("form", () => {
    it("test_RevertWhen_ThereAreNoItems_OrOneIsCutOff", async () => {
      const items = itemsOf(infer(2));
      for (const wrong of ["0x", dataSlice(items, 1), concat([items, "0x00"])]) {
        await expectRefusal(settle(wrong), "InferenceSettlement_ItemsLengthInvalid");
      }
    });

    it("test_RevertWhen_TheVersionIsAnotherOne", async () => {
      const { registry, owner, modelId } = fixture;
      const verifyingKey = makeVerifyingKey(
        makeTrapdoor({ signalCount: SIGNAL_COUNT, random: scalarsFrom("another key") }),
      );
      await registry
        .connect(owner)
        .publishVersion(modelId, versionParams({ verifyingKey, overrides: { major: 2 } }));
      const another = computeVersionId({ modelId, major: 2, minor: 0 });
      await expectRefusal(settle(itemsOf(infer(2)), another), "Groth16_ProofInvalid");
      await expectRefusal(
        settle(itemsOf(infer(2)), id("unknown")),
        "InferenceSettlement_VersionUnknown",
      );
    });

    it("test_RevertWhen_VersionsAreMixed", async () => {
      const { registry, owner, modelId, trapdoor, verifyingKey } = fixture;
      await registry
        .connect(owner)
        .publishVersion(modelId, versionParams({ verifyingKey, overrides: { minor: 1 } }));
      const versionId = computeVersionId({ modelId, major: 1, minor: 1 });
      const other = makeInference({
        ...{ ...fixture, trapdoor, versionId, node: fixture.node.address },
        ...{ nonce: 7n, timestamp: now },
      });
      // Same key, same words: the digest names the version.
      await expectRefusal(settleAll([...infer(2), other]), "Groth16_ProofInvalid");
    });

    it("test_RevertWhen_TheVersionHasNoKey", async () => {
      const { registry, owner, modelId } = fixture;
      await registry.connect(owner).publishManifest(modelId, 3, 0, id("manifest"), ZeroHash);
      const versionId = computeVersionId({ modelId, major: 3, minor: 0 });
      await expectRefusal(
        settle(itemsOf(infer(1)), versionId),
        "InferenceSettlement_VersionWithoutKey",
      );
      const [inference] = infer(1);
      if (inference === undefined) throw new Error("no inference");
      await expectRefusal(
        settleAlone({
          ...inference,
          words: [],
          result: { ...inference.result, modelVersion: versionId },
        }),
        "InferenceSettlement_VersionWithoutKey",
      );
    });
  });

  describe("consent", () => {
    it("test_RevertWhen_SomebodyElseSends_WithoutOrWithAnotherSignature", async () => {
      const inferences = infer(2);
      const items = itemsOf(inferences);
      const { node, relayer, domain } = fixture;
      const receipt = await signResult({
        ...{ signer: node, domain },
        result: (inferences[0] as Inference).result,
      });
      for (const signature of [
        "0x",
        receipt,
        await signBatch({ fixture, signer: relayer, items }),
        await signBatch({ fixture, signer: node, items: itemsOf(infer(1)) }),
        await signBatch({ fixture, signer: node, items, overrides: { modelVersion: id("other") } }),
        await signBatch({ fixture, signer: node, items, overrides: { node: relayer.address } }),
      ]) {
        await expectRefusal(relay(items, signature), "InferenceSettlement_NodeSignatureInvalid");
      }
    });

    it("test_RevertWhen_ItemsAreTakenForAnotherNode", async () => {
      const { settlement, versionId, relayer } = fixture;
      await expectRefusal(
        settlement
          .connect(relayer)
          .settleZkmlBatch(versionId, relayer.address, itemsOf(infer(2)), "0x"),
        "Groth16_ProofInvalid",
      );
    });
  });

  it("test_SettlesOneItem_AndAFullPage", async () => {
    await settleAll(infer(1));
    const inferences = infer(200, 256n);
    await networkHelpers.time.setNextBlockTimestamp(now + 100n);
    await fixture.settlement
      .connect(fixture.node)
      .settleZkmlBatch(fixture.versionId, fixture.node.address, itemsOf(inferences), "0x", {
        gasLimit: 2n ** 24n,
      });
    await expectSettled([inferences[0] as Inference, inferences[199] as Inference]);
  });
});
