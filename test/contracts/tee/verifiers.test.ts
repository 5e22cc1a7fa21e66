import { keysHashOf } from "@haca/attestation/binding";
import { encodeName } from "@haca/enclave-simulator/makeCertificate";
import { pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { expect } from "chai";
import { AbiCoder, concat, keccak256, toBeHex, ZeroAddress } from "ethers";
import { network } from "hardhat";
import {
  admit,
  approve,
  deployRegistry,
  deployVerifier,
  ENDPOINT,
  LLM_PROXY,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { deployMock } from "../utils/deployMock.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const NITRO = 0;
const OPEN = 1;
const DAY = 86_400n;

describe("TEERegistry verifiers", () => {
  let f: RegistryFixture;
  let node: SimulatedEnclave;
  let teeId: string;
  /** The same root with mended code: another store and another verifier. */
  let mended: Awaited<ReturnType<typeof deployVerifier>>;

  async function deployFixture() {
    const fixture = await deployRegistry(connection);
    const pair = await deployVerifier({ connection, root: fixture.chain.root });
    await fixture.registry.connect(fixture.governance).setHeartbeatMaxAge(DAY);
    return { fixture, pair, ...(await admit(fixture)) };
  }
  beforeEach(async () => {
    const loaded = await loadAtItsTime(connection, deployFixture);
    [f, mended] = [loaded.fixture, loaded.pair];
    [node, teeId] = [loaded.enclave, loaded.teeId];
  });
  const setVerifier = async ({ verifier }: Pick<typeof mended, "verifier">) =>
    f.registry.connect(f.governance).setVerifier(NITRO, await verifier.getAddress());
  const renew = async ({ store }: Pick<typeof mended, "store">) => {
    await f.networkHelpers.time.increase(1);
    const registration = await makeRegistration({ ...f, store }, node);
    return f.registry.connect(f.operator).renew(teeId, registration, GAS);
  };
  const isActive = () => f.registry.isTEEActive(teeId);
  const leaf = () => [encodeName(node.chain.names[0] ?? ""), 2n] as const;

  it("test_NodesOfAReplacedVerifierAreInactiveUntilTheyAreRenewed", async () => {
    const before = await now(f);
    await setVerifier(mended);
    expect(await isActive()).to.equal(false);
    expect(await f.registry.isActiveAt(teeId, await now(f))).to.equal(false);
    expect(await f.registry.getActiveTEEs(LLM_PROXY)).to.have.length(0);
    expect(await f.registry.isActiveAt(teeId, before), "the past").to.equal(true);
    const replaced = await now(f);

    await renew(mended);
    expect(await isActive()).to.equal(true);
    expect((await f.lens.getNode(teeId)).verifierGeneration).to.equal(2n);
    expect(await f.registry.isActiveAt(teeId, before), "the past").to.equal(true);
    expect(await f.registry.isActiveAt(teeId, replaced), "between").to.equal(false);
  });

  it("test_VerifiersOfTwoIdsAreIndependent", async () => {
    const other = 200;
    await f.registry.connect(f.governance).setVerifier(other, await mended.verifier.getAddress());
    await approve(f, f.image, LLM_PROXY, other);
    const enclave = await makeEnclave(f);
    const registration = await makeRegistration({ ...f, store: mended.store }, enclave);
    await f.registry.connect(f.operator).register({ ...registration, verifierId: other }, GAS);
    expect((await f.lens.getNode(enclave.teeId)).verifierId).to.equal(other);
    expect((await f.lens.getNode(teeId)).verifierId).to.equal(NITRO);
    // each is judged by the verifier of its own id
    await f.registry.connect(f.governance).setVerifier(NITRO, ZeroAddress);
    expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(true);
    expect(await isActive()).to.equal(false);
    await f.registry.connect(f.governance).setVerifier(other, ZeroAddress);
    expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(false);
  });

  it("test_TheSameVerifierSetAgainRevivesNobody", async () => {
    await setVerifier(mended);
    await setVerifier(f);
    expect(await f.registry.verifier(NITRO)).to.equal(await f.verifier.getAddress());
    expect(await isActive()).to.equal(false);
    await renew(f);
    expect(await isActive()).to.equal(true);
  });

  it("test_RemovedVerifierLeavesThePastAsItWas", async () => {
    const before = await now(f);
    await f.registry.connect(f.governance).setVerifier(NITRO, `0x${"00".repeat(20)}`);
    expect(await isActive()).to.equal(false);
    expect(await f.registry.isActiveAt(teeId, before)).to.equal(true);
  });

  it("test_RevertWhen_VerifierReadsAnotherKindOfEvidence", async () => {
    const governance = f.registry.connect(f.governance);
    const open = await deployMock(f.ethers, "OpenVerifier");
    const address = await open.getAddress();
    const kind = await f.verifier.evidenceType();
    await expect(governance.setVerifier(NITRO, address))
      .to.be.revertedWithCustomError(f.registry, "TEERegistry_EvidenceTypeMismatch")
      .withArgs(kind, await open.evidenceType());
    // A verifier that is removed leaves its kind behind: images approved under the id are of it.
    await governance.setVerifier(NITRO, `0x${"00".repeat(20)}`);
    await expect(governance.setVerifier(NITRO, address)).to.be.revertedWithCustomError(
      f.registry,
      "TEERegistry_EvidenceTypeMismatch",
    );
    expect(await f.registry.evidenceTypeOf(NITRO)).to.equal(kind);
    await governance.setVerifier(OPEN, address);
    expect(await f.registry.evidenceTypeOf(OPEN)).to.equal(await open.evidenceType());
  });

  it("test_RevokedCertificateStaysRevokedInAnotherStore", async () => {
    const before = await now(f);
    await f.store.connect(f.guardian).revokeUnseen(...leaf());
    await setVerifier(mended);
    await expect(renew(mended)).to.be.revertedWithCustomError(
      f.registry,
      "TEERegistry_SignerRevoked",
    );
    expect(await f.registry.isActiveAt(teeId, before)).to.equal(false);
  });

  it("test_RevocationInTheOldStoreCountsAfterTheNodeMovedOn", async () => {
    const before = await now(f);
    await setVerifier(mended);
    await renew(mended);
    await f.store.connect(f.guardian).revokeUnseen(...leaf());
    expect(await isActive()).to.equal(false);
    expect(await f.registry.isActiveAt(teeId, before)).to.equal(false);
  });

  it("test_RevocationInTheNewStoreCountsWhereTheOldIsSetAgain", async () => {
    await setVerifier(mended);
    await mended.store.connect(mended.administrator).revokeUnseen(...leaf());
    await setVerifier(f);
    await expect(renew(f)).to.be.revertedWithCustomError(f.registry, "TEERegistry_SignerRevoked");
  });

  it("test_ChangedAgesDoNotChangeThePast", async () => {
    const governance = f.registry.connect(f.governance);
    await governance.setHeartbeatMaxAge(1800n);
    await f.networkHelpers.time.increase(1000n);
    const good = await now(f);
    await f.networkHelpers.time.increase(1000n);
    const bad = await now(f);
    expect(await f.registry.isActiveAt(teeId, good)).to.equal(true);
    expect(await f.registry.isActiveAt(teeId, bad)).to.equal(false);
    await governance.setHeartbeatMaxAge(60n);
    expect(await f.registry.isActiveAt(teeId, good), "shorter").to.equal(true);
    await governance.setHeartbeatMaxAge(DAY);
    expect(await f.registry.isActiveAt(teeId, bad), "longer").to.equal(false);
    expect(await isActive()).to.equal(true);
    await f.networkHelpers.time.increase(7200n);
    const attested = await now(f);
    await governance.setAttestationMaxAge(3600n);
    expect(await isActive()).to.equal(false);
    expect(await f.registry.isActiveAt(teeId, attested), "attestation").to.equal(true);
  });

  describe("by a verifier that believes everything", () => {
    const registrationOf = async (operator: string, verifierId: number) => {
      const point = toBeHex(7n, 64);
      const signingKey = concat(["0x3056301006072a8648ce3d020106052b8104000a03420004", point]);
      const tlsCertificate = "0x3000";
      const paymentAddress = f.payee.address;
      const claims = {
        measurement: pcrHashOf(f.image),
        keysHash: keysHashOf({ tlsCertificate, signingKey }),
        binding: await f.registry.computeBinding(
          ...([operator, paymentAddress, ENDPOINT, LLM_PROXY] as const),
        ),
        ...{ issuedAt: await now(f), signerCertificate: keccak256("0x01") },
      };
      const evidence = AbiCoder.defaultAbiCoder().encode(
        ["(bytes32,bytes32,bytes32,uint64,bytes32)"],
        [Object.values(claims)],
      );
      return {
        ...{ verifierId, evidence, hints: [], signingKey, tlsCertificate, paymentAddress },
        ...{ endpoint: ENDPOINT, teeType: LLM_PROXY },
      };
    };

    it("test_RevertWhen_NodeChangesWhileItsEvidenceIsVerified", async () => {
      const operator = await deployMock(f.ethers, "RetiringOperator", [
        await f.registry.getAddress(),
      ]);
      const address = await operator.getAddress();
      await f.registry.connect(f.governance).setVerifier(OPEN, address);
      await approve(f, f.image, LLM_PROXY, OPEN);
      const registration = await registrationOf(address, OPEN);
      await operator.register(registration);
      await f.networkHelpers.time.increase(1);
      await expect(
        operator.renew(keccak256(registration.signingKey), await registrationOf(address, OPEN)),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_StatusInvalid");
    });

    it("test_RevertWhen_AnotherVerifierRenewsTheNode", async () => {
      const open = await deployMock(f.ethers, "OpenVerifier");
      const governance = f.registry.connect(f.governance);
      await governance.setVerifier(OPEN, await open.getAddress());
      await approve(f, f.image, LLM_PROXY, OPEN);
      const registration = await registrationOf(f.operator.address, OPEN);
      await f.registry.connect(f.operator).register(registration);
      await governance.setVerifier(2, await open.getAddress());
      await f.networkHelpers.time.increase(1);
      await expect(
        f.registry
          .connect(f.operator)
          .renew(keccak256(registration.signingKey), await registrationOf(f.operator.address, 2)),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_VerifierMismatch");
    });
  });

  it("test_NewEnclaveUnderARevokedCertificateIsRefused", async () => {
    await setVerifier(mended);
    const enclave = await makeEnclave(f);
    await f.store.connect(f.guardian).revokeUnseen(encodeName(enclave.chain.names[0] ?? ""), 2n);
    const registration = await makeRegistration({ ...f, store: mended.store }, enclave);
    await expect(
      f.registry.connect(f.operator).register(registration, GAS),
    ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SignerRevoked");
  });
});
