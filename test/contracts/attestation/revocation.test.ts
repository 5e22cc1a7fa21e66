import { chainHints } from "@haca/attestation/x509/chainHints";
import { certificateIds, parseCertificate } from "@haca/attestation/x509/parseCertificate";
import { encodeName, makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { type Authority, makeP384Keys } from "@haca/enclave-simulator/simulatedChain";
import { expect } from "chai";
import { hexlify, keccak256, toUtf8Bytes } from "ethers";
import { network } from "hardhat";
import {
  deployRegistry,
  loadAtItsTime,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const UNKNOWN = `0x${"12".repeat(32)}`;

describe("CertificateStore revocations", () => {
  let f: RegistryFixture;
  /** root, authority, leaf; stored */
  let chain: Uint8Array[];
  let ids: string[];
  let authority: Authority;
  let leaf: Authority;

  async function deployFixture() {
    const fixture = await deployRegistry(connection);
    const { rootAuthority: root } = fixture.chain;
    const time = await now(fixture);
    const region = certify(root, time, { subject: "region", serial: 20n, authority: {} });
    const below = certify(region, time, { subject: "leaf", serial: 21n });
    const certificates = [root, region, below].map(({ certificate }) => certificate);
    await store(fixture, certificates);
    return { fixture, certificates, region, below };
  }
  beforeEach(async () => {
    const loaded = await loadAtItsTime(connection, deployFixture);
    f = loaded.fixture;
    chain = loaded.certificates;
    ids = certificateIds(chain);
    authority = loaded.region;
    leaf = loaded.below;
  });

  type Fields = Parameters<typeof makeCertificate>[0]["fields"];
  function certify(
    parent: Authority,
    time: bigint,
    changes: Partial<Fields>,
    keys = makeP384Keys(),
  ) {
    const subject = changes.subject ?? "below";
    const certificate = makeCertificate({
      fields: {
        ...{ issuer: parent.name, subject, serial: 77n, notBefore: time, notAfter: time + 3600n },
        ...{ publicKey: keys.publicKey, ...changes },
      },
      issuerKey: parent.keys.privateKey,
    });
    return { name: subject, keys, certificate };
  }
  async function store(fixture: RegistryFixture, certificates: Uint8Array[]) {
    const hints = await chainHints({
      chain: certificates,
      isStored: (id) => fixture.store.isStored(id),
    });
    return fixture.store.verifyChain(
      certificates,
      hints.map((hint) => hexlify(hint)),
      GAS,
    );
  }
  const guardian = () => f.store.connect(f.guardian);
  const refused = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.store, error);
  const expectRefused = async (certificates: Uint8Array[]) => {
    const id = certificateIds(certificates).at(-1) ?? "";
    if (await f.store.isStored(id)) expect(await f.store.isTrusted(id)).to.equal(false);
    await refused(store(f, certificates), "CertificateStore_Revoked");
  };

  it("test_RevokedByIdTakesOutEverythingBelow", async () => {
    expect(await f.store.isTrusted(ids[2] ?? "")).to.equal(true);
    const { issuer, serial } = parseCertificate(authority.certificate);
    await expect(guardian().revokeCertificate(ids[1] ?? ""))
      .to.emit(f.store, "CertificateRevoked")
      .withArgs(await f.store.computeRevocationKey(issuer, serial), ids[1]);
    await expectRefused(chain);
    await refused(guardian().revokeCertificate(ids[1] ?? ""), "CertificateStore_AlreadyRevoked");
    // A sibling of what is revoked is not touched.
    const sibling = certify(f.chain.rootAuthority, await now(f), { serial: 22n });
    await store(f, [f.chain.root, sibling.certificate]);
  });

  it("test_RevokedLeafLeavesItsParent", async () => {
    await guardian().revokeCertificate(ids[2] ?? "");
    await expectRefused(chain);
    expect(await f.store.isTrusted(ids[1] ?? "")).to.equal(true);
  });

  it("test_RevertWhen_RevokedIdIsUnknown", async () => {
    await refused(guardian().revokeCertificate(UNKNOWN), "CertificateStore_CertificateUnknown");
    await refused(guardian().revokeKey(UNKNOWN), "CertificateStore_CertificateUnknown");
  });

  it("test_UnseenIsRefusedWhenItComes_AndIsNeverStored", async () => {
    const { rootAuthority: root } = f.chain;
    const unseen = certify(root, await now(f), { serial: 30n, authority: {} });
    const below = certify(unseen, await now(f), {});
    const { issuer, serial } = parseCertificate(unseen.certificate);
    await expect(guardian().revokeUnseen(issuer, serial))
      .to.emit(f.store, "UnseenCertificateRevoked")
      .withArgs(await f.store.computeRevocationKey(issuer, serial), issuer, serial);
    for (let i = 0; i < 2; i++) {
      await expectRefused([root.certificate, unseen.certificate, below.certificate]);
    }
    await refused(guardian().revokeUnseen(issuer, serial), "CertificateStore_AlreadyRevoked");
  });

  it("test_StoringFirstDoesNotStopARevocation", async () => {
    const { issuer, serial } = parseCertificate(leaf.certificate);
    await guardian().revokeUnseen(issuer, serial);
    await expectRefused(chain);
  });

  it("test_IssuerInAnotherStringTypeIsAnotherKey_TheIdIsNot", async () => {
    const utf8 = Buffer.from(encodeName(f.chain.rootAuthority.name));
    const printable = Buffer.from(utf8);
    printable[printable.indexOf(Buffer.from("0603550403", "hex")) + 5] = 0x13;
    await guardian().revokeUnseen(printable, 20n);
    expect(await f.store.isTrusted(ids[1] ?? "")).to.equal(true);
    await guardian().revokeCertificate(ids[1] ?? "");
    expect(await f.store.isTrusted(ids[1] ?? "")).to.equal(false);
  });

  it("test_RevokedCertificateStaysRevokedOnAnotherPath", async () => {
    // The root as its own child: the same certificates below it have other ids.
    const detour = [f.chain.root, ...chain];
    await store(f, detour);
    expect(certificateIds(detour).at(-1)).to.not.equal(ids[2]);
    await guardian().revokeCertificate(ids[1] ?? "");
    await expectRefused(detour);
  });

  it("test_RevokedKeyTakesOutReissuedCertificates_SeenOrNot", async () => {
    const { rootAuthority: root } = f.chain;
    const time = await now(f);
    const reissue = (serial: bigint, subject: string) =>
      certify(root, time, { subject, serial, authority: {} }, authority.keys);
    const seen = reissue(40n, "region");
    await store(f, [root.certificate, seen.certificate, leaf.certificate]);
    // The certificate alone is not enough.
    await guardian().revokeCertificate(ids[1] ?? "");
    await store(f, [root.certificate, seen.certificate, leaf.certificate]);
    const { publicKey } = parseCertificate(authority.certificate);
    await expect(guardian().revokeKey(ids[1] ?? ""))
      .to.emit(f.store, "KeyRevoked")
      .withArgs(keccak256(publicKey), ids[1]);
    await expectRefused([root.certificate, seen.certificate, leaf.certificate]);
    const unseen = reissue(41n, "another name");
    await expectRefused([root.certificate, unseen.certificate]);
    await refused(guardian().revokeKey(ids[1] ?? ""), "CertificateStore_AlreadyRevoked");
  });

  it("test_RevertWhen_TheRootIsRevoked_ByEveryPath", async () => {
    const { rootAuthority: root } = f.chain;
    const { issuer, serial } = parseCertificate(root.certificate);
    const copy = [root.certificate, root.certificate];
    await store(f, copy);
    const again = certify(root, await now(f), { subject: root.name, authority: {} }, root.keys);
    await store(f, [root.certificate, again.certificate]);
    const [rootId = "", copyId = ""] = certificateIds(copy);
    const [, againId = ""] = certificateIds([root.certificate, again.certificate]);
    for (const call of [
      guardian().revokeCertificate(rootId),
      guardian().revokeKey(rootId),
      guardian().revokeUnseen(issuer, serial),
      guardian().revokeCertificate(copyId),
      guardian().revokeKey(copyId),
      guardian().revokeKey(againId),
    ]) {
      await refused(call, "CertificateStore_RootIsPinned");
    }
    expect(await f.store.isTrusted(rootId)).to.equal(true);
    await store(f, chain);
  });

  it("test_VerifierFindsARevokedNameWhereverItStands", async () => {
    const keys = [...(await f.verifier.revocationKeys(ids[2] ?? ""))];
    expect(keys.length).to.be.greaterThan(2);
    expect(await f.verifier.isAnyRevoked(keys)).to.equal(false);
    expect(await f.verifier.isAnyRevoked([])).to.equal(false);
    await guardian().revokeCertificate(ids[2] ?? "");
    const revoked: string[] = [];
    for (const key of keys) {
      if (await f.verifier.isAnyRevoked([key])) revoked.push(key);
    }
    expect(revoked.length).to.be.within(1, keys.length - 1);
    const others = keys.filter((key) => !revoked.includes(key));
    for (const list of [
      [...revoked, ...others],
      [...others, ...revoked],
    ]) {
      expect(await f.verifier.isAnyRevoked(list)).to.equal(true);
    }
    expect(await f.verifier.isAnyRevoked(others)).to.equal(false);
  });

  it("test_TrustIsLookedAtAnewAfterEveryRevocation_AndRecheckChangesNoAnswer", async () => {
    const [, region = "", below = ""] = ids;
    const other = certify(f.chain.rootAuthority, await now(f), { serial: 40n });
    await store(f, [f.chain.root, other.certificate]);
    const [, otherId = ""] = certificateIds([f.chain.root, other.certificate]);
    const recheck = (id: string) => f.store.connect(f.attacker).recheck(id);
    expect(await f.store.revocationCount()).to.equal(0n);
    await refused(recheck(below), "CertificateStore_CheckedAlready");

    await guardian().revokeCertificate(otherId);
    expect(await f.store.revocationCount()).to.equal(1n);
    for (const [id, trusted] of [
      [region, true],
      [below, true],
      [otherId, false],
    ] as const) {
      expect(await f.store.isTrusted(id)).to.equal(trusted);
    }
    await refused(recheck(otherId), "CertificateStore_Revoked");
    await recheck(below);
    expect(await f.store.isTrusted(below)).to.equal(true);
    await refused(recheck(below), "CertificateStore_CheckedAlready");

    // Looked at before the revocation of its parent: that look does not count any more.
    await guardian().revokeKey(region);
    for (const id of [region, below]) {
      expect(await f.store.isTrusted(id)).to.equal(false);
      await refused(recheck(id), "CertificateStore_Revoked");
    }
    await refused(recheck(UNKNOWN), "CertificateStore_CertificateUnknown");
  });

  it("test_RevertWhen_OtherThanTheGuardianRevokes", async () => {
    for (const signer of [f.attacker, f.governance, f.approver, f.operator]) {
      const other = f.store.connect(signer);
      for (const call of [
        other.revokeCertificate(ids[1] ?? ""),
        other.revokeKey(ids[1] ?? ""),
        other.revokeUnseen(toUtf8Bytes("name"), 1n),
      ]) {
        await refused(call, "AccessManagedUnauthorized");
      }
    }
  });
});
