import { encodeProof, encodeVerifyingKey } from "@haca/protocol/groth16";
import { contextOf, hashWords, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeRequestId } from "@haca/protocol/requestId";
import { expect } from "chai";
import { ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { deploySettlement, latestTimestamp, versionParams } from "../utils/settlementFixture.ts";
import { type Circuit, compileCircuit, proveWithSnarkjs } from "../utils/snarkjsCircuit.ts";

const WORD = { count: 1, bits: 248, isSigned: false, scaleExponent: 0 };

describe("a circuit compiled by circom, proven by snarkjs", () => {
  let circuit: Circuit;

  before(() => {
    circuit = compileCircuit("product");
  });

  const publish = async () => {
    const fixture = await deploySettlement(await network.create());
    const { registry, owner } = fixture;
    await registry.connect(owner).registerModel("product");
    const modelId = computeModelId({ owner: owner.address, slug: "product" });
    const publishKey = (key: Circuit["verifyingKey"]) =>
      registry.connect(owner).publishVersion(
        modelId,
        versionParams({
          verifyingKey: encodeVerifyingKey(key),
          overrides: { inputLayout: [{ ...WORD, count: 2 }], outputLayout: [WORD] },
        }),
      );
    return { ...fixture, publishKey, productId: computeVersionId({ modelId, major: 1, minor: 0 }) };
  };

  it("test_SettlesProofsOfSnarkjs", async () => {
    const fixture = await publish();
    const { settlement, node, productId } = fixture;
    await fixture.publishKey(circuit.verifyingKey);
    const words = [6n, 7n, 42n];
    const inputs = words.slice(0, 2);
    const result = {
      modelVersion: productId,
      inputHash: hashWords(inputs),
      outputHash: hashWords(words.slice(2)),
      requester: ZeroAddress,
      requestId: encodeRequestId({ node: node.address, nonce: 0n }),
      price: 5n,
      timestamp: await latestTimestamp(fixture),
      teeId: ZeroHash,
    };
    const { chainId } = await fixture.ethers.provider.getNetwork();
    const domain = settlementDomain({ chainId, settlement: await settlement.getAddress() });
    const context = contextOf({ domain, result });
    const { proof, publicSignals } = proveWithSnarkjs({
      circuit,
      signals: {
        inputWords: inputs.map(String),
        outputWords: ["42"],
        context: String(context),
        elements: inputs.map(String),
      },
    });
    expect(publicSignals).to.deep.equal([...words, context]);

    const bytes = encodeProof(proof);
    const settle = (claimed: typeof result, claimedWords: bigint[]) =>
      settlement.connect(node).settleZkml(claimed, claimedWords, bytes, "0x");
    await expect(
      settle({ ...result, outputHash: hashWords([43n]) }, words.with(2, 43n)),
    ).to.be.revertedWithCustomError(settlement, "Groth16_ProofInvalid");
    await expect(settle({ ...result, price: 6n }, words)).to.be.revertedWithCustomError(
      settlement,
      "Groth16_ProofInvalid",
    );
    await expect(settle(result, words)).to.emit(settlement, "InferenceSettled");
  });

  it("test_RevertWhen_KeyIsOfASetupThatNobodyContributedTo", async () => {
    const { registry, publishKey } = await publish();
    // delta is still what it began as: the generator, as gamma is.
    await expect(publishKey(circuit.unfinishedKey))
      .to.be.revertedWithCustomError(registry, "ModelRegistry_VerifyingKeyPointIsGenerator")
      .withArgs(64 + 2 * 128);
  });
});
