import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { expect } from "chai";
import { ZeroHash } from "ethers";
import { network } from "hardhat";
import {
  admit,
  approve,
  deployRegistry,
  LLM_PROXY,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  pcrsOf,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const DELAY = 2 * 24 * 60 * 60;
const NEVER = `0x${"00".repeat(16)}`;
const OTHER_VERIFIER = 1;

/** An image approver who makes approvals ready while all is quiet, for the day when the guardian revokes. */
describe("TEERegistry approvals", () => {
  let f: RegistryFixture;
  const image = measurementsOf("stockpiled");
  const key = [LLM_PROXY, 0] as const;

  async function deployFixture() {
    return deployRegistry(connection);
  }
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
  });
  const approval = (version: string, lastRevocation: string) =>
    f.registry.interface.encodeFunctionData("approveImage", [
      ...([pcrHashOf(image), version, ...key, lastRevocation, ZeroHash, ""] as const),
    ]);
  const legacy = (version: string) =>
    f.registry.interface.encodeFunctionData("approvePCR", [pcrsOf(image), version, LLM_PROXY]);
  const schedule = async (data: string) =>
    f.manager.connect(f.approver).schedule(await f.registry.getAddress(), data, 0);
  const execute = async (data: string) =>
    f.manager.connect(f.approver).execute(await f.registry.getAddress(), data);
  const revoke = () => f.registry.connect(f.guardian).revokePCR(pcrHashOf(image), LLM_PROXY);
  const isApproved = () => f.registry.isPCRApproved(LLM_PROXY, pcrHashOf(image));
  const refused = (data: string) =>
    expect(execute(data)).to.be.revertedWithCustomError(f.registry, "TEERegistry_ApprovalOutdated");

  it("test_RevocationKillsApprovalsThatWait", async () => {
    const ready = [approval("1", NEVER), approval("2", NEVER), legacy("3"), legacy("4")];
    for (const data of ready) await schedule(data);
    await f.networkHelpers.time.increase(DELAY);
    await execute(ready[0] ?? "");
    expect(await isApproved()).to.equal(true);
    await revoke();
    for (const data of ready.slice(1)) await refused(data);
    expect(await isApproved()).to.equal(false);
  });

  it("test_RevocationKillsApprovalsOfAnImageThatNeverWasApproved", async () => {
    const ready = [approval("1", NEVER), legacy("2")];
    for (const data of ready) await schedule(data);
    await f.networkHelpers.time.increase(DELAY);
    await expect(revoke()).to.emit(f.registry, "ImageRevoked");
    for (const data of ready) await refused(data);
    expect((await f.lens.getImage(pcrHashOf(image), ...key)).generation).to.equal(0n);
  });

  it("test_TheNextRevocationCannotBeNamedAhead", async () => {
    await revoke();
    const { lastRevocation: first } = await f.lens.getImage(pcrHashOf(image), ...key);
    expect(first).to.not.equal(NEVER);
    const data = approval("1", first);
    await schedule(data);
    await f.networkHelpers.time.increase(DELAY);
    await revoke();
    const { lastRevocation: second } = await f.lens.getImage(pcrHashOf(image), ...key);
    expect(second).to.not.equal(first);
    await refused(data);
    await approve(f, image);
    expect(await isApproved()).to.equal(true);
  });

  it("test_AnApprovalIsForOneVerifiersEvidence", async () => {
    const { registry, governance, guardian } = f;
    const other = await f.ethers.deployContract("NitroAttestationVerifier", [
      await f.store.getAddress(),
      await f.ecdsa.getAddress(),
    ]);
    await registry.connect(governance).setVerifier(OTHER_VERIFIER, await other.getAddress());
    const enclave = await makeEnclave(f);
    const registration = { ...(await makeRegistration(f, enclave)), verifierId: OTHER_VERIFIER };
    await expect(
      registry.connect(f.operator).register(registration, GAS),
    ).to.be.revertedWithCustomError(registry, "TEERegistry_ImageNotApproved");
    const { teeId } = await admit(f);

    await approve(f, f.image, LLM_PROXY, OTHER_VERIFIER);
    const pcrHash = pcrHashOf(f.image);
    expect(await registry.isImageApproved(pcrHash, LLM_PROXY, OTHER_VERIFIER)).to.equal(true);
    // The public network's list is of the verifier that its tools know.
    expect(await f.legacy.getApprovedPCRs()).to.have.length(1);
    expect(await registry.imageCount()).to.equal(2n);
    await registry.connect(guardian).revokeImage(pcrHash, LLM_PROXY, OTHER_VERIFIER);
    expect(await registry.isPCRApproved(LLM_PROXY, pcrHash)).to.equal(true);
    expect((await f.lens.getNode(teeId)).verifierId).to.equal(0n);
  });
});
