import { contextOf, hashResult, hashWords } from "@haca/protocol/inferenceResult";
import { encodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { R } from "../utils/bn254.ts";
import {
  deploySettlement,
  type Inference,
  latestTimestamp,
  makeInference,
  prove,
  type SettlementFixture,
  signResult,
} from "../utils/settlementFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const deploy = () => deploySettlement(connection);

describe("InferenceSettlement", () => {
  let fixture: SettlementFixture;
  let now: bigint;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
    now = await latestTimestamp(fixture);
  });

  const infer = (nonce: bigint, overrides: Partial<Inference["result"]> = {}): Inference =>
    makeInference({ ...fixture, node: fixture.node.address, nonce, timestamp: now, overrides });

  /** The node settles its own inference. */
  const settle = ({ result, words, proof }: Inference) =>
    fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x");

  const settleByRelayer = ({ result, words, proof }: Inference, signature: string) =>
    fixture.settlement.connect(fixture.relayer).settleZkml(result, words, proof, signature);

  describe("settleZkml", () => {
    it("test_SettlesWhen_CalledByTheNode", async () => {
      const inference = infer(3n, { requester: fixture.relayer.address, price: 10n ** 18n });
      const { result, words } = inference;
      expect(await fixture.settlement.isSettled(result.requestId)).to.equal(false);
      await expect(settle(inference))
        .to.emit(fixture.settlement, "InferenceSettled")
        .withArgs(
          result.requestId,
          result.modelVersion,
          result.requester,
          1n,
          result.inputHash,
          result.outputHash,
          result.price,
          result.timestamp,
          result.teeId,
          words,
        );
      expect(await fixture.settlement.isSettled(result.requestId)).to.equal(true);
      expect(
        await fixture.settlement.occupied(ledgerPageOf({ node: fixture.node.address, index: 0n })),
      ).to.equal(8n);
    });

    it("test_SettlesWhen_RelayedWithTheNodesSignature", async () => {
      const inference = infer(0n);
      const signature = await signResult({
        signer: fixture.node,
        domain: fixture.domain,
        result: inference.result,
      });
      await expect(settleByRelayer(inference, signature)).to.emit(
        fixture.settlement,
        "InferenceSettled",
      );
    });

    it("test_SettlesWhen_NodeCallsWithUselessSignature", async () => {
      const { result, words, proof } = infer(0n);
      await fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x1234");
      expect(await fixture.settlement.isSettled(result.requestId)).to.equal(true);
    });

    it("test_SettlesEveryNonceOfAPageAndBeyond", async () => {
      for (const nonce of [0n, 255n, 256n, (1n << 96n) - 1n]) await settle(infer(nonce));
      const bitmap = (wordIndex: bigint) =>
        fixture.settlement.occupied(ledgerPageOf({ node: fixture.node.address, index: wordIndex }));
      expect(await bitmap(0n)).to.equal(1n | (1n << 255n));
      expect(await bitmap(1n)).to.equal(1n);
      expect(await bitmap((1n << 88n) - 1n)).to.equal(1n << 255n);
      expect(await bitmap(1n << 88n)).to.equal(0n);
    });
  });

  describe("what the proof is bound to", () => {
    it("test_RevertWhen_InputWordChanged", async () => {
      const inference = infer(0n);
      const words = inference.words.with(0, 1n);
      await expect(settle({ ...inference, words }))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_InputHashMismatch")
        .withArgs(inference.result.inputHash, hashWords(words.slice(0, 2)));
    });

    it("test_RevertWhen_OutputWordChanged", async () => {
      const inference = infer(0n);
      const words = inference.words.with(2, 1n);
      await expect(settle({ ...inference, words }))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_OutputHashMismatch")
        .withArgs(inference.result.outputHash, hashWords(words.slice(2)));
    });

    // The context is the one of the changed result here, so that only the word itself can make the proof fail.
    for (const [name, index] of [
      ["Input", 0],
      ["Output", 2],
    ] as const) {
      it(`test_RevertWhen_${name}ChangedWithItsHash`, async () => {
        const { words } = infer(0n);
        const claimed = words.with(index, (words[index] ?? 0n) ^ 1n);
        const { result } = infer(0n, {
          inputHash: hashWords(claimed.slice(0, 2)),
          outputHash: hashWords(claimed.slice(2)),
        });
        const proof = prove({ ...fixture, result, words });
        await expect(settle({ result, words: claimed, proof })).to.be.revertedWithCustomError(
          fixture.settlement,
          "Groth16_ProofInvalid",
        );
      });
    }

    it("test_RevertWhen_ProofOfAnotherRequest", async () => {
      const first = infer(0n);
      const second = { ...infer(1n), words: first.words, proof: first.proof };
      second.result.inputHash = first.result.inputHash;
      second.result.outputHash = first.result.outputHash;
      await expect(settle(second)).to.be.revertedWithCustomError(
        fixture.settlement,
        "Groth16_ProofInvalid",
      );
    });

    for (const [field, value] of [
      ["requester", "0x00000000000000000000000000000000000000AA"],
      ["price", 7n],
    ] as const) {
      it(`test_RevertWhen_ProofMadeForAnother_${field}`, async () => {
        const inference = infer(0n);
        const result = { ...inference.result, [field]: value };
        await expect(settle({ ...inference, result })).to.be.revertedWithCustomError(
          fixture.settlement,
          "Groth16_ProofInvalid",
        );
      });
    }

    it("test_RevertWhen_AProvedResultNamesAnEnclave", async () => {
      // Proved for this very result: only the rule refuses it.
      await expect(settle(infer(0n, { teeId: id("enclave") })))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_TeeIdNotZero")
        .withArgs(id("enclave"));
    });

    it("test_RevertWhen_ProofMadeForAnotherContractOrChain", async () => {
      const { result, words } = infer(0n);
      for (const change of [{ chainId: 1n }, { verifyingContract: fixture.relayer.address }]) {
        const proof = prove({
          ...{ trapdoor: fixture.trapdoor, result, words },
          domain: { ...fixture.domain, ...change },
        });
        await expect(settle({ result, words, proof })).to.be.revertedWithCustomError(
          fixture.settlement,
          "Groth16_ProofInvalid",
        );
      }
    });

    it("test_RevertWhen_SignalNotBelowTheFieldsOrder", async () => {
      const { words } = infer(0n);
      for (const index of [0, 1, 2]) {
        const value = (words[index] ?? 0n) + R;
        const claimed = words.with(index, value);
        const { result } = infer(0n, {
          inputHash: hashWords(claimed.slice(0, 2)),
          outputHash: hashWords(claimed.slice(2)),
        });
        // The equation itself holds: modulo r the words are the same.
        const proof = prove({ ...fixture, result, words });
        await expect(settle({ result, words: claimed, proof }))
          .to.be.revertedWithCustomError(fixture.settlement, "Groth16_PublicSignalOutOfRange")
          .withArgs(index, value);
      }
    });

    it("test_RevertWhen_WordCountWrong", async () => {
      const inference = infer(0n);
      for (const words of [[], inference.words.slice(0, 2), [...inference.words, 0n]]) {
        await expect(settle({ ...inference, words }))
          .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_WordCountInvalid")
          .withArgs(3, words.length);
      }
    });

    it("test_RevertWhen_AddressOrTimeHasForeignBits", async () => {
      const { result, words, proof } = infer(0n);
      const { interface: abi } = fixture.settlement;
      const to = await fixture.settlement.getAddress();
      const calls = [
        abi.encodeFunctionData("settleZkml", [result, words, proof, "0x"]),
        abi.encodeFunctionData("hashResult", [result]),
        abi.encodeFunctionData("contextOf", [result]),
      ];
      for (const data of calls) {
        const call = (changed: string) => fixture.node.call({ to, data: changed });
        await call(data);
        // Words of the call: 3 is the requester, 6 the time; the highest byte belongs to neither type.
        for (const word of [3, 6]) {
          const position = 2 + 8 + 64 * word;
          const dirty = `${data.slice(0, position)}01${data.slice(position + 2)}`;
          await expect(call(dirty)).to.be.revert(fixture.ethers);
        }
      }
    });
  });

  describe("replay", () => {
    it("test_RevertWhen_SettledAgain", async () => {
      const inference = infer(0n);
      await settle(inference);
      await expect(settle(inference))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_AlreadySettled")
        .withArgs(inference.result.requestId);
    });

    it("test_RevertWhen_SettledAgainWithAnotherProof", async () => {
      const inference = infer(0n);
      await settle(inference);
      const proof = prove({ ...fixture, ...inference, seed: "another" });
      expect(proof).not.to.equal(inference.proof);
      await expect(settle({ ...inference, proof })).to.be.revertedWithCustomError(
        fixture.settlement,
        "InferenceSettlement_AlreadySettled",
      );
    });

    it("test_RevertWhen_SameRequestWithAnotherResult", async () => {
      await settle(infer(0n));
      await expect(settle(infer(0n, { price: 1n }))).to.be.revertedWithCustomError(
        fixture.settlement,
        "InferenceSettlement_AlreadySettled",
      );
    });

    it("test_RefusedProofLeavesTheRequestOpen", async () => {
      const inference = infer(0n);
      await expect(settle({ ...inference, proof: infer(1n).proof })).to.be.revertedWithCustomError(
        fixture.settlement,
        "Groth16_ProofInvalid",
      );
      expect(await fixture.settlement.isSettled(inference.result.requestId)).to.equal(false);
      await settle(inference);
    });
  });

  describe("version", () => {
    it("test_RevertWhen_VersionUnknown", async () => {
      const modelVersion = id("unknown");
      await expect(settle(infer(0n, { modelVersion })))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_VersionUnknown")
        .withArgs(modelVersion);
    });

    describe("deprecated", () => {
      const DEPRECATED_AFTER = 100n;
      let deprecatedAt: bigint;

      beforeEach(async () => {
        deprecatedAt = now + DEPRECATED_AFTER;
        await networkHelpers.time.setNextBlockTimestamp(deprecatedAt);
        await fixture.registry.connect(fixture.owner).deprecateVersion(fixture.versionId);
      });

      const expectDeprecated = (settling: Promise<unknown>, timestamp: bigint) =>
        expect(settling)
          .to.be.revertedWithCustomError(
            fixture.settlement,
            "InferenceSettlement_VersionDeprecated",
          )
          .withArgs(fixture.versionId, deprecatedAt, timestamp);

      it("test_SettlesWhen_AnsweredBeforeTheDeprecation", async () => {
        await settle(infer(0n, { timestamp: deprecatedAt - 1n }));
      });

      it("test_SettlesWhen_AnsweredBefore_UntilTheWindowEnds", async () => {
        const window = await fixture.settlement.settlementWindow();
        await networkHelpers.time.setNextBlockTimestamp(now + window);
        await settle(infer(0n));
      });

      it("test_RevertWhen_AnsweredBefore_AndTheWindowIsOver", async () => {
        const window = await fixture.settlement.settlementWindow();
        await networkHelpers.time.setNextBlockTimestamp(deprecatedAt + window);
        await expect(
          settle(infer(0n, { timestamp: deprecatedAt - 1n })),
        ).to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_ResultExpired");
      });

      it("test_RevertWhen_AnsweredInTheSecondOfTheDeprecationOrLater", async () => {
        for (const timestamp of [deprecatedAt, deprecatedAt + 1n, deprecatedAt + 60n]) {
          await expectDeprecated(settle(infer(0n, { timestamp })), timestamp);
        }
      });

      it("test_BackdatedAnswersSettle_ForOneWindow", async () => {
        // What docs/worker.md and the interface say: a node names its time itself. A proof is needed all the same.
        const backdated = infer(0n, { timestamp: deprecatedAt - 1n });
        const window = await fixture.settlement.settlementWindow();
        await networkHelpers.time.setNextBlockTimestamp(deprecatedAt - 2n + window);
        await expect(
          settle({ ...backdated, proof: infer(1n).proof }),
        ).to.be.revertedWithCustomError(fixture.settlement, "Groth16_ProofInvalid");
        await networkHelpers.time.setNextBlockTimestamp(deprecatedAt - 1n + window);
        await settle(backdated);
      });
    });
  });

  describe("time", () => {
    const settleAt = async (inference: Inference, timestamp: bigint) => {
      await networkHelpers.time.setNextBlockTimestamp(timestamp);
      return settle(inference);
    };
    const WINDOW = 7n * 24n * 60n * 60n;

    it("test_SettlesWhen_ClockIsAheadByTheSkew", async () => {
      await settleAt(infer(0n, { timestamp: now + 110n }), now + 50n);
    });

    it("test_RevertWhen_FromTheFuture", async () => {
      const timestamp = now + 111n;
      await expect(settleAt(infer(0n, { timestamp }), now + 50n))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_ResultFromFuture")
        .withArgs(now + 110n, timestamp);
    });

    it("test_SettlesWhen_AtTheEndOfTheWindow", async () => {
      await settleAt(infer(0n), now + WINDOW);
    });

    it("test_RevertWhen_Expired", async () => {
      await expect(settleAt(infer(0n), now + WINDOW + 1n))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_ResultExpired")
        .withArgs(now + WINDOW, now + WINDOW + 1n);
    });

    it("test_RevertWhen_TimestampZero", async () => {
      await expect(settle(infer(0n, { timestamp: 0n }))).to.be.revertedWithCustomError(
        fixture.settlement,
        "InferenceSettlement_ResultExpired",
      );
    });

    it("test_ShortestWindowIsExact", async () => {
      const minimum = await fixture.settlement.MINIMUM_SETTLEMENT_WINDOW();
      await fixture.settlement.connect(fixture.administrator).setSettlementWindow(minimum);
      await settleAt(infer(0n), now + minimum);
      await expect(settleAt(infer(1n), now + minimum + 1n))
        .to.be.revertedWithCustomError(fixture.settlement, "InferenceSettlement_ResultExpired")
        .withArgs(now + minimum, now + minimum + 1n);
    });
  });

  describe("hashes", () => {
    it("test_HashesEqualTheTypeScriptTwin", async () => {
      const { domain, settlement } = fixture;
      for (let i = 0; i < 20; i++) {
        const number = BigInt(id(`field ${i}`));
        const result = {
          modelVersion: id(`version ${i}`),
          inputHash: id(`input ${i}`),
          outputHash: id(`output ${i}`),
          requester: i === 0 ? ZeroAddress : fixture.ethers.getAddress(id(`${i}`).slice(0, 42)),
          requestId: encodeRequestId({ node: fixture.node.address, nonce: number >> 160n }),
          price: number,
          timestamp: number >> 192n,
          teeId: i === 0 ? ZeroHash : id(`tee ${i}`),
        };
        expect(await settlement.hashResult(result)).to.equal(hashResult({ domain, result }));
        expect(await settlement.contextOf(result)).to.equal(contextOf({ domain, result }));
      }
    });

    it("test_DomainIsReadable", async () => {
      const domain = await fixture.settlement.eip712Domain();
      expect(domain.name).to.equal(fixture.domain.name);
      expect(domain.version).to.equal(fixture.domain.version);
      expect(domain.verifyingContract).to.equal(fixture.domain.verifyingContract);
    });
  });
});
