import { keysHashOf } from "@haca/attestation/binding";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { encodeClaims } from "@haca/attestation/nitro/encodeClaims";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import {
  certificateIds,
  parseCertificate,
  toRawSignature,
} from "@haca/attestation/x509/parseCertificate";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeP384Keys, makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { expect } from "chai";
import { hexlify, ZeroHash, zeroPadBytes } from "ethers";
import { network } from "hardhat";
import {
  deployRegistry,
  loadAtItsTime,
  makeEnclave,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const DAY = 24 * 60 * 60;
const MAXIMUM_AGE = 300n;
const MAXIMUM_SKEW = 60n;
const isDeep = process.env.HACA_DEEP === "1";

describe("NitroAttestationVerifier", () => {
  let f: RegistryFixture;
  let enclave: SimulatedEnclave;

  const load = async () => {
    f = await loadAtItsTime(connection, deployFixture);
    enclave = await makeEnclave(f);
  };
  async function deployFixture() {
    return deployRegistry(connection);
  }
  beforeEach(load);

  const idsOf = (document: Uint8Array) => {
    const { cabundle, certificate } = parseDocument(document);
    return certificateIds([...cabundle, certificate]);
  };
  const attest = async (options: Partial<Parameters<SimulatedEnclave["attest"]>[0]> = {}) =>
    enclave.attest({ now: await now(f), nonce: null, ...options });
  const hintsFor = async (document: Uint8Array) =>
    (await documentHints({ document, isStored: (id) => f.store.isStored(id) })).map((h) =>
      hexlify(h),
    );
  const verify = async (document: Uint8Array, hints?: string[]) =>
    f.verifier.verify(document, hints ?? (await hintsFor(document)), GAS);

  it("test_ClaimsOfAColdDocument", async () => {
    const document = await attest({ nonce: Uint8Array.of(9) });
    const claims = await f.verifier.verify.staticCall(document, await hintsFor(document), GAS);
    const { cabundle, certificate } = parseDocument(document);
    expect(claims.measurement).to.equal(pcrHashOf(f.image));
    expect(claims.issuedAt).to.equal(await now(f));
    expect(claims.binding, "a nonce of another length binds nothing").to.equal(ZeroHash);
    const { tlsCertificate, signingKey } = enclave;
    expect(claims.keysHash).to.equal(
      keysHashOf({
        ...{ tlsCertificate: hexlify(tlsCertificate), signingKey: hexlify(signingKey) },
      }),
    );
    expect(claims.signerCertificate).to.equal(certificateIds([...cabundle, certificate]).at(-1));
    await expect(verify(document)).to.emit(f.verifier, "EvidenceVerified");
    expect(await f.verifier.isVerified(document)).to.equal(true);
    expect(await f.verifier.isTrusted(claims.signerCertificate)).to.equal(true);
  });

  it("test_OnlyANonceOf20BytesBinds", async () => {
    const binding = `0x${"5a".repeat(32)}`;
    const carried = zeroPadBytes(binding.slice(0, 42), 32);
    expect(await f.verifier.carriedBinding(binding)).to.equal(carried);
    const bindingOf = async (length: number) => {
      const document = await attest({ nonce: new Uint8Array(length).fill(0x5a) });
      const hints = await hintsFor(document);
      return (await f.verifier.verify.staticCall(document, hints, GAS)).binding;
    };
    expect(await bindingOf(20)).to.equal(carried);
    for (const length of [19, 21, 32]) {
      expect(await bindingOf(length), `${length} bytes`).to.equal(ZeroHash);
    }
  });

  it("test_UserDataInAnotherFormatVouchesForNoKeys", async () => {
    const keysHashWith = async (userData: Uint8Array | null) => {
      const document = await attest({ overrides: { user_data: userData } });
      const hints = await hintsFor(document);
      return (await f.verifier.verify.staticCall(document, hints, GAS)).keysHash;
    };
    const right = enclave.userData();
    const changed = [0, 1, 34, 35].map((at) =>
      right.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    );
    for (const userData of [null, right.slice(0, -1), Uint8Array.of(...right, 0), ...changed]) {
      expect(await keysHashWith(userData)).to.equal(ZeroHash);
    }
    expect(await keysHashWith(right)).to.not.equal(ZeroHash);
  });

  it("test_VerifiedEvidenceNeedsNoHints", async () => {
    const document = await attest();
    const hints = await hintsFor(document);
    const cold = await f.verifier.verify.staticCall(document, hints, GAS);
    await verify(document, hints);
    expect(await f.verifier.verify.staticCall(document, [])).to.deep.equal(cold);
  });

  it("test_ClaimsStandForVerifiedEvidence", async () => {
    const document = await attest({ nonce: Uint8Array.of(9) });
    await expect(f.verifier.verify(encodeClaims(document), [])).to.be.revert(connection.ethers);
    await verify(document);
    expect(await f.verifier.isVerified(encodeClaims(document))).to.equal(true);
    expect(await f.verifier.verify.staticCall(encodeClaims(document), [])).to.deep.equal(
      await f.verifier.verify.staticCall(document, []),
    );
  });

  it("test_RevertWhen_ClaimsAreNotTheVerified", async () => {
    const document = await attest({ nonce: Uint8Array.of(9) });
    await verify(document);
    const claims = Buffer.from(encodeClaims(document).slice(2), "hex");
    for (let at = 0; at < claims.length; at++) {
      const flipped = Buffer.from(claims);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      await expect(f.verifier.verify(flipped, []), `byte ${at}`).to.be.revert(connection.ethers);
    }
    for (const other of [claims.subarray(0, -1), Buffer.concat([claims, Buffer.of(0)])]) {
      await expect(f.verifier.verify(other, [])).to.be.revert(connection.ethers);
    }
  });

  it("test_RevertWhen_ClaimsAreStaleOrRevoked", async () => {
    const document = await attest();
    await verify(document);
    const claims = encodeClaims(document);
    await f.store.connect(f.guardian).revokeCertificate(idsOf(document).at(-1) ?? "");
    await expect(f.verifier.verify(claims, [])).to.be.revertedWithCustomError(
      f.store,
      "CertificateStore_Revoked",
    );
    await load();
    const next = await attest();
    await verify(next);
    await f.networkHelpers.time.increase(MAXIMUM_AGE + 1n);
    await expect(f.verifier.verify(encodeClaims(next), [])).to.be.revertedWithCustomError(
      f.verifier,
      "AttestationVerifier_EvidenceTooOld",
    );
  });

  it("test_StoredCertificatesNeedNoHints", async () => {
    await verify(await attest());
    const next = await attest({ nonce: Uint8Array.of(1) });
    const hints = await hintsFor(next);
    expect(hints.slice(0, -1)).to.deep.equal(["0x", "0x", "0x", "0x"]);
    await verify(next, hints);
  });

  it("test_RevertWhen_HintsMissing", async () => {
    await expect(f.verifier.verify(await attest(), [])).to.be.revertedWithCustomError(
      f.verifier,
      "AttestationVerifier_HintsInvalid",
    );
  });

  it("test_RevertWhen_DocumentSignedByAnotherKey", async () => {
    const other = await makeEnclave(f);
    const document = Buffer.from(await attest());
    const stranger = other.attest({ now: await now(f), nonce: null });
    document.set(stranger.subarray(-96), document.length - 96);
    const hints = await hintsFor(await attest());
    await expect(verify(document, hints)).to.be.revertedWithCustomError(
      f.ecdsa,
      "EcdsaP384_HintInvalid",
    );
  });

  it("test_RevertWhen_EvidenceOlderThan300Seconds", async () => {
    const document = await attest();
    const hints = await hintsFor(document);
    const { time } = f.networkHelpers;
    await time.setNextBlockTimestamp((await now(f)) + MAXIMUM_AGE + 1n);
    await expect(verify(document, hints)).to.be.revertedWithCustomError(
      f.verifier,
      "AttestationVerifier_EvidenceTooOld",
    );
  });

  it("test_AcceptsEvidenceAtBothEndsOfTheWindow", async () => {
    const { time } = f.networkHelpers;
    const old = await attest();
    const oldHints = await hintsFor(old);
    await time.setNextBlockTimestamp((await now(f)) + MAXIMUM_AGE);
    await verify(old, oldHints);
    const next = (await now(f)) + 1n;
    const ahead = await attest({ now: next + MAXIMUM_SKEW });
    const aheadHints = await hintsFor(ahead);
    await time.setNextBlockTimestamp(next);
    await verify(ahead, aheadHints);
  });

  it("test_RevertWhen_EvidenceFromFuture", async () => {
    const next = (await now(f)) + 1n;
    const document = await attest({ now: next + MAXIMUM_SKEW + 1n });
    const hints = await hintsFor(document);
    await f.networkHelpers.time.setNextBlockTimestamp(next);
    await expect(verify(document, hints)).to.be.revertedWithCustomError(
      f.verifier,
      "AttestationVerifier_EvidenceFromFuture",
    );
  });

  it("test_RevertWhen_RootIsNotThePinnedOne", async () => {
    const chain = makeSimulatedChain({ now: await now(f) });
    const stranger = new SimulatedEnclave({
      ...{ chain, measurements: f.image, kind: "p256" as const, now: await now(f) },
    });
    const document = stranger.attest({ now: await now(f), nonce: null });
    await expect(verify(document)).to.be.revertedWithCustomError(
      f.store,
      "CertificateStore_RootMismatch",
    );
  });

  it("test_RevertWhen_DocumentSignedByAnAuthority", async () => {
    const { instance, cabundle } = enclave.chain;
    const document = await attest({
      overrides: { certificate: instance.certificate, cabundle: cabundle.slice(0, -1) },
    });
    const hints = await hintsFor(await attest());
    await expect(verify(document, hints.slice(1))).to.be.revertedWithCustomError(
      f.ecdsa,
      "EcdsaP384_HintInvalid",
    );
    // The chain itself is in order: with it stored, only its last key's kind is left to object to.
    await verify(await attest());
    await expect(verify(document, ["0x", "0x", "0x", "0x"])).to.be.revertedWithCustomError(
      f.verifier,
      "AttestationVerifier_SignerRefused",
    );
  });

  it("test_RevertWhen_EvidenceVerifiedThenCertificateExpires", async () => {
    const document = await attest({ now: await now(f) });
    await verify(document);
    await f.networkHelpers.time.increase(DAY + 1);
    const late = await attest({ overrides: { timestamp: ((await now(f)) + 1n) * 1000n } });
    // The leaf is new; the instance's certificate, its parent, was valid for a day.
    await expect(verify(late)).to.be.revertedWithCustomError(f.store, "CertificateStore_Expired");
  });

  it("test_RevertWhen_AnyHintByteIsFlipped", async () => {
    const document = await attest();
    const hints = await hintsFor(document);
    const step = isDeep ? 97 : 14_009;
    for (const [i, hint] of hints.entries()) {
      const bytes = Buffer.from(hint.slice(2), "hex");
      for (let at = (i * 577) % step; at < bytes.length; at += step) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        const changed = hints.map((original, j) => (j === i ? hexlify(flipped) : original));
        await expect(verify(document, changed), `hint ${i} byte ${at}`).to.be.revert(
          connection.ethers,
        );
      }
      const lengths = [bytes.length - 1, bytes.length + 1];
      for (const length of isDeep ? lengths : lengths.slice(i % 2, (i % 2) + 1)) {
        const resized = Buffer.alloc(length);
        bytes.copy(resized);
        const changed = hints.map((original, j) => (j === i ? hexlify(resized) : original));
        await expect(verify(document, changed)).to.be.revert(connection.ethers);
      }
    }
  });

  it("test_RevertWhen_AnyDocumentByteIsFlipped", async function () {
    this.timeout(isDeep ? 3_600_000 : 600_000);
    const document = Buffer.from(
      await attest({ overrides: { user_data: null, public_key: null } }),
    );
    const hints = await hintsFor(document);
    await f.verifier.verify.staticCall(document, hints, GAS);
    const step = isDeep ? 1 : 397;
    for (let at = 0; at < document.length; at += step) {
      const flipped = Buffer.from(document);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const isAccepted = await f.verifier.verify.staticCall(flipped, hints, GAS).then(
        () => true,
        () => false,
      );
      expect(isAccepted, `byte ${at}`).to.equal(false);
    }
  });

  describe("chains", () => {
    const certify = (
      parent: { name: string; keys: ReturnType<typeof makeP384Keys> },
      time: bigint,
      changes: Partial<Parameters<typeof makeCertificate>[0]["fields"]> = {},
    ) => {
      const keys = makeP384Keys();
      const certificate = makeCertificate({
        fields: {
          ...{ issuer: parent.name, subject: "below", serial: 77n, notBefore: time },
          ...{ notAfter: time + 3600n, publicKey: keys.publicKey },
          ...changes,
        },
        issuerKey: parent.keys.privateKey,
      });
      return { name: changes.subject ?? "below", keys, certificate };
    };
    const submit = async (chain: readonly Uint8Array[]) => {
      const document = await attest({
        overrides: { cabundle: chain.slice(0, -1), certificate: chain.at(-1) ?? new Uint8Array() },
      });
      const own = await hintsFor(await attest());
      const hints: string[] = [];
      for (let i = 1; i < chain.length; i++) {
        // Hints exist for valid signatures only, and are the same whatever else is wrong.
        const child = parseCertificate(chain[i] ?? new Uint8Array());
        const signature = toRawSignature(child.signature);
        const parent = parseCertificate(chain[i - 1] ?? new Uint8Array());
        const { generateP384Hints } = await import("@haca/attestation/p384/generateP384Hints");
        try {
          hints.push(
            hexlify(
              generateP384Hints({
                ...{ message: child.tbs, publicKey: parent.publicKey, signature },
              }),
            ),
          );
        } catch {
          hints.push(own[0] ?? "0x");
        }
      }
      return f.verifier.verify(document, [...hints, own.at(-1) ?? "0x"], GAS);
    };

    it("test_RevertWhen_LeafSignsACertificate", async () => {
      const time = await now(f);
      const { rootAuthority } = f.chain;
      const leaf = certify(rootAuthority, time, { subject: "leaf" });
      const below = certify(leaf, time);
      await expect(
        submit([rootAuthority.certificate, leaf.certificate, below.certificate]),
      ).to.be.revertedWithCustomError(f.store, "CertificateStore_PathRefused");
    });

    it("test_RevertWhen_PathIsLongerThanAllowed", async () => {
      const time = await now(f);
      const { instance, cabundle } = enclave.chain;
      const extra = certify(instance, time, { subject: "extra", authority: {} });
      const below = certify(extra, time);
      await expect(
        submit([...cabundle, extra.certificate, below.certificate]),
      ).to.be.revertedWithCustomError(f.store, "CertificateStore_PathRefused");
    });

    it("test_RevertWhen_IssuerIsNotTheParentsSubject", async () => {
      const time = await now(f);
      const { rootAuthority } = f.chain;
      const leaf = certify(rootAuthority, time, { issuer: "somebody else" });
      await expect(
        submit([rootAuthority.certificate, leaf.certificate]),
      ).to.be.revertedWithCustomError(f.store, "CertificateStore_IssuerMismatch");
    });

    it("test_RevertWhen_SignedByAnotherKeyThanTheParents", async () => {
      const time = await now(f);
      const { rootAuthority } = f.chain;
      const leaf = certify({ name: rootAuthority.name, keys: makeP384Keys() }, time);
      await expect(
        submit([rootAuthority.certificate, leaf.certificate]),
      ).to.be.revertedWithCustomError(f.ecdsa, "EcdsaP384_HintInvalid");
    });

    it("test_RevertWhen_NotYetValid", async () => {
      const time = await now(f);
      const { rootAuthority } = f.chain;
      const leaf = certify(rootAuthority, time, {
        notBefore: time + 1000n,
        notAfter: time + 2000n,
      });
      await expect(
        submit([rootAuthority.certificate, leaf.certificate]),
      ).to.be.revertedWithCustomError(f.store, "CertificateStore_NotYetValid");
    });

    it("test_RevertWhen_TheChainIsTheRootAlone", async () => {
      const own = await hintsFor(await attest());
      const document = await attest({
        overrides: { certificate: f.chain.root, cabundle: [f.chain.root] },
      });
      await expect(f.verifier.verify(document, own.slice(0, 2), GAS)).to.be.revertedWithCustomError(
        f.ecdsa,
        "EcdsaP384_HintInvalid",
      );
      await expect(f.store.verifyChain([f.chain.root], [])).to.be.revertedWithCustomError(
        f.store,
        "CertificateStore_ChainTooShort",
      );
    });
  });

  it("test_RevertWhen_TheRootIsNoAuthority", async () => {
    const keys = makeP384Keys();
    const root = makeCertificate({
      fields: {
        ...{ issuer: "r", subject: "r", serial: 1n, notBefore: 0n, notAfter: 9n },
        publicKey: keys.publicKey,
      },
      issuerKey: keys.privateKey,
    });
    const { ethers } = connection;
    await expect(
      ethers.deployContract("CertificateStore", [
        await f.manager.getAddress(),
        await f.ecdsa.getAddress(),
        root,
      ]),
    ).to.be.revertedWithCustomError(f.store, "CertificateStore_RootInvalid");
  });

  it("test_MeasurementsOfOtherImagesDiffer", async () => {
    const other = await makeEnclave(f, { image: measurementsOf("other") });
    const document = other.attest({ now: await now(f), nonce: null });
    const claims = await f.verifier.verify.staticCall(document, await hintsFor(document), GAS);
    expect(claims.measurement).to.not.equal(pcrHashOf(f.image));
  });
});
