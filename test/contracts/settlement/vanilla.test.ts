import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { computeVersionId } from "@haca/protocol/modelIds";
import { PROPOSAL_TYPES } from "@haca/protocol/proposal";
import { placeInLedger } from "@haca/protocol/requestId";
import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import { network } from "hardhat";
import {
  deploySettlement,
  type Inference,
  latestTimestamp,
  makeInference,
  type SettlementFixture,
  signResult,
} from "../utils/settlementFixture.ts";

const connection = await network.create();
const { networkHelpers } = connection;
const deploy = () => deploySettlement(connection);

describe("InferenceSettlement: Vanilla", () => {
  let fixture: SettlementFixture;
  let inference: Inference;
  let deadline: bigint;

  beforeEach(async () => {
    fixture = await networkHelpers.loadFixture(deploy);
    const timestamp = await latestTimestamp(fixture);
    deadline = timestamp + 600n;
    inference = makeInference({ ...fixture, node: fixture.node.address, nonce: 9n, timestamp });
  });

  const propose = (
    overrides: Partial<Record<string, unknown>> = {},
    result: InferenceResult = inference.result,
    signer = fixture.node,
  ) => {
    const { page, bit } = placeInLedger(result.requestId);
    return signer.signTypedData(fixture.domain, PROPOSAL_TYPES, {
      ...{ kind: 0, page, bitmap: bit, blobId: ZeroHash, deadline },
      root: hashResult({ domain: fixture.domain, result }),
      ...overrides,
    });
  };
  const recordByNode = (result = inference.result) =>
    fixture.settlement.connect(fixture.node).settleVanilla(result, 0, "0x");
  const recordByStranger = (signature: string, until = deadline, result = inference.result) =>
    fixture.settlement.connect(fixture.relayer).settleVanilla(result, until, signature);
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(fixture.settlement, error);

  it("test_RecordsWhen_TheNodeCalls_AndTakesNoRequest", async () => {
    const { result, words, proof } = inference;
    await expect(recordByNode())
      .to.emit(fixture.settlement, "InferenceSettled")
      .withArgs(
        ...[result.requestId, result.modelVersion, result.requester, 0n],
        ...[result.inputHash, result.outputHash, 0n, result.timestamp, ZeroHash, []],
      );
    expect(await fixture.settlement.isRecordedVanilla(result.requestId)).to.equal(true);
    expect(await fixture.settlement.isSettled(result.requestId)).to.equal(false);
    // The same request can still be proved.
    await fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x");
    expect(await fixture.settlement.isSettled(result.requestId)).to.equal(true);
  });

  it("test_RecordsWhen_ProposedByTheNode_OfAVersionWithoutKey", async () => {
    const { registry, owner, modelId } = fixture;
    await registry.connect(owner).publishManifest(modelId, 3, 0, id("manifest"), ZeroHash);
    const modelVersion = computeVersionId({ modelId, major: 3, minor: 0 });
    const result = { ...inference.result, modelVersion };
    await recordByStranger(await propose({}, result), deadline, result);
    expect(await fixture.settlement.isRecordedVanilla(result.requestId)).to.equal(true);
  });

  it("test_RevertWhen_AStrangerHasTheReceipt", async () => {
    const { result } = inference;
    const receipt = await signResult({ signer: fixture.node, domain: fixture.domain, result });
    for (const signature of ["0x", receipt]) {
      await expectRefusal(recordByStranger(signature), "InferenceSettlement_NodeSignatureInvalid");
    }
  });

  it("test_RevertWhen_TheProposalIsAnotherOne", async () => {
    const { page, bit } = placeInLedger(inference.result.requestId);
    for (const overrides of [
      { kind: 2 },
      { page: page + 1n },
      { bitmap: bit << 1n },
      { bitmap: bit | 1n },
      { root: id("another result") },
      { blobId: id("blob") },
      { deadline: deadline + 1n },
    ]) {
      await expectRefusal(
        recordByStranger(await propose(overrides)),
        "InferenceSettlement_NodeSignatureInvalid",
      );
    }
    await expectRefusal(
      recordByStranger(await propose({}, inference.result, fixture.relayer)),
      "InferenceSettlement_NodeSignatureInvalid",
    );
  });

  it("test_RevertWhen_TheProposalIsOver", async () => {
    const signature = await propose();
    await networkHelpers.time.increaseTo(deadline);
    await expectRefusal(recordByStranger(signature), "InferenceSettlement_ProposalExpired");
  });

  it("test_RevertWhen_RecordedAgain_OrSettledBefore", async () => {
    await recordByNode();
    await expectRefusal(recordByNode(), "InferenceSettlement_AlreadySettled");
    const other = makeInference({
      ...{ ...fixture, node: fixture.node.address, nonce: 10n },
      timestamp: inference.result.timestamp,
    });
    const { result, words, proof } = other;
    await fixture.settlement.connect(fixture.node).settleZkml(result, words, proof, "0x");
    await expectRefusal(recordByNode(result), "InferenceSettlement_AlreadySettled");
  });

  it("test_RevertWhen_ItNamesAnEnclave", async () => {
    await expectRefusal(
      recordByNode({ ...inference.result, teeId: id("enclave") }),
      "InferenceSettlement_TeeIdNotZero",
    );
  });

  it("test_RevertWhen_ThereIsNoTEERegistry", async () => {
    const { settlement, node } = fixture;
    const teeId = `0x${"00".repeat(12)}${node.address.slice(2)}`;
    await expectRefusal(
      settlement.settleTee({ ...inference.result, teeId }, "0x"),
      "InferenceSettlement_NoTEERegistry",
    );
  });
});
