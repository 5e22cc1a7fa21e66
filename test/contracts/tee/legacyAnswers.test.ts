import { ROLES } from "@haca/protocol/roles";
import { expect } from "chai";
import { Contract, getCreateAddress, id, toBeHex, ZeroHash } from "ethers";
import { network } from "hardhat";
import {
  admit,
  deployRegistry,
  LLM_PROXY,
  loadAtItsTime,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";

const connection = await network.create();
const TEE_OPERATOR = id("TEE_OPERATOR");

describe("LegacyAnswers", () => {
  let f: RegistryFixture;
  let target: string;
  const deployFixture = () => deployRegistry(connection);
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
    target = await f.registry.getAddress();
  });

  describe("roles", () => {
    it("test_RolesAreThoseOfTheAccessManager", async () => {
      const { legacy, administrator, registrar, attacker, manager } = f;
      const { address } = attacker;
      expect(await legacy.hasRole(ZeroHash, administrator.address)).to.equal(true);
      expect(await legacy.hasRole(ZeroHash, registrar.address)).to.equal(false);
      expect(await legacy.hasRole(TEE_OPERATOR, registrar.address)).to.equal(true);
      expect(await legacy.hasRole(TEE_OPERATOR, administrator.address)).to.equal(false);
      expect(await legacy.hasRole(TEE_OPERATOR, address)).to.equal(false);
      await manager.connect(administrator).grantRole(ROLES.REGISTRAR, address, 0);
      expect(await legacy.hasRole(TEE_OPERATOR, address)).to.equal(true);
      await manager.connect(administrator).revokeRole(ROLES.REGISTRAR, address);
      expect(await legacy.hasRole(TEE_OPERATOR, address)).to.equal(false);
    });

    it("test_TeeOperatorIsWhoeverMayCallTheEntryPoint", async () => {
      const { legacy, administrator, manager, registry, registrar, guardian } = f;
      const { selector } = registry.interface.getFunction("registerTEEWithAttestation");
      await manager
        .connect(administrator)
        .setTargetFunctionRole(target, [selector], ROLES.GUARDIAN);
      expect(await legacy.hasRole(TEE_OPERATOR, registrar.address)).to.equal(false);
      expect(await legacy.hasRole(TEE_OPERATOR, guardian.address)).to.equal(true);
    });

    it("test_NoOtherHashIsARole", async () => {
      const { legacy, administrator, registrar } = f;
      for (const role of [id("REGISTRAR"), toBeHex(ROLES.REGISTRAR, 32), `0x${"ff".repeat(32)}`]) {
        for (const { address } of [administrator, registrar]) {
          expect(await legacy.hasRole(role, address)).to.equal(false);
        }
      }
    });

    it("test_RevertWhen_RolesAreToBeChangedHere", async () => {
      const { administrator, registrar, attacker } = f;
      const reason = `roles are kept in the AccessManager at ${await f.manager.getAddress()}, with its delays: grant and revoke them there, or by a proposal`;
      // As the tools send it: a transaction.
      for (const sender of [administrator, attacker]) {
        for (const name of ["grantRole", "revokeRole"]) {
          const abi = [`function ${name}(bytes32,address)`];
          const write = new Contract(target, abi, sender).getFunction(name);
          await expect(write(TEE_OPERATOR, registrar.address)).to.be.revertedWith(reason);
        }
      }
      expect(await f.legacy.hasRole(TEE_OPERATOR, registrar.address)).to.equal(true);
    });
  });

  it("test_RevertWhen_TheRootIsAskedForOrToBeSet", async () => {
    const reason = `the root is pinned behind the verifier at ${await f.verifier.getAddress()}, whose certificate store has its fingerprint: another root is a proposal`;
    const data = f.legacy.interface.encodeFunctionData("setAWSRootCertificate", [f.chain.root]);
    const sent = f.governance.sendTransaction({ to: target, data });
    await expect(sent).to.be.revertedWith(reason);
    await expect(f.legacy.awsRootCertificate()).to.be.revertedWith(reason);
  });

  it("test_RevertWhen_NobodyKnowsTheCall", async () => {
    const { attacker } = f;
    for (const data of ["0x", "0x12", "0x12345678", id("tees(bytes32)").slice(0, 10)]) {
      const call = attacker.call({ to: target, data });
      await expect(call).to.be.revertedWithoutReason(f.ethers);
    }
    await expect(attacker.sendTransaction({ to: target, value: 1n })).to.be.revertedWithoutReason(
      f.ethers,
    );
  });

  it("test_AnswersFollowTheRegistry_AndHaveNothingOfTheirOwn", async () => {
    const { teeId } = await admit(f);
    expect([...(await f.legacy.getTEEsByType(LLM_PROXY))]).to.deep.equal([teeId]);
    const own = getCreateAddress({ from: target, nonce: 1 });
    const direct = await f.ethers.getContractAt("LegacyAnswers", own);
    // It answers for whoever calls it, and an account is no registry.
    await expect(direct.getTEEsByType(LLM_PROXY)).to.be.revertedWithoutReason(f.ethers);
    expect(await f.ethers.provider.getCode(own)).not.to.equal("0x");
  });
});
