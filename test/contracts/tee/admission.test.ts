import { bindingOf } from "@haca/attestation/binding";
import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { encodeClaims } from "@haca/attestation/nitro/encodeClaims";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { expect } from "chai";
import { getBytes, hexlify, keccak256, randomBytes, zeroPadBytes } from "ethers";
import { network } from "hardhat";
import {
  admit,
  approve,
  deployRegistry,
  ENDPOINT,
  LLM_PROXY,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  now,
  pcrsOf,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const ZKML_PROVER = 3;
const RSA = 1n;
const P256 = 2n;
const SECP256K1 = 3n;

describe("TEERegistry admission", () => {
  let f: RegistryFixture;
  let enclave: SimulatedEnclave;

  async function deployFixture() {
    return deployRegistry(connection);
  }
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployFixture);
    enclave = await makeEnclave(f);
  });
  const register = (
    registration: Awaited<ReturnType<typeof makeRegistration>>,
    signer = f.operator,
  ) => f.registry.connect(signer).register(registration, GAS);

  for (const [kind, keyKind] of [
    ["rsa", RSA],
    ["p256", P256],
    ["secp256k1", SECP256K1],
  ] as const) {
    it(`test_AdmitsAnEnclaveWithItsKey_${kind}`, async () => {
      const { teeId, registration } = await admit(f, { kind, isIndefinite: kind !== "p256" });
      const admitted = f.registry.filters.TEERegistered(teeId, f.operator.address);
      const events = await f.registry.queryFilter(admitted);
      expect(events.map(({ args }) => [...args])).to.deep.equal([
        [teeId, f.operator.address, BigInt(LLM_PROXY), keyKind],
      ]);
      expect(await f.registry.isTEEActive(teeId)).to.equal(true);
      const node = await f.lens.getNode(teeId);
      expect(node.keyKind).to.equal(keyKind);
      expect(node.imageGeneration).to.equal(1n);
      const info = await f.registry.getTEE(teeId);
      expect(info.owner).to.equal(f.operator.address);
      expect(info.paymentAddress).to.equal(f.payee.address);
      expect(info.endpoint).to.equal(ENDPOINT);
      expect(info.publicKey).to.equal(registration.signingKey);
      expect(info.tlsCertificate).to.equal(registration.tlsCertificate);
      expect(info.pcrHash).to.equal(pcrHashOf(f.image));
      expect(info.teeType).to.equal(BigInt(LLM_PROXY));
      expect(info.enabled).to.equal(true);
      expect(info.ohttpConfig.publicKey).to.equal("0x");
      expect(await f.registry.getTEEPublicKey(teeId)).to.equal(registration.signingKey);
      expect(await f.registry.computeTEEId(registration.signingKey)).to.equal(teeId);
    });
  }

  it("test_BindingIsThatOfTypeScript", async () => {
    const bound = {
      ...{ chainId: f.chainId, registry: await f.registry.getAddress() },
      ...{ operator: f.operator.address, paymentAddress: f.payee.address },
      ...{ endpoint: ENDPOINT, teeType: ZKML_PROVER },
    };
    const binding = await f.registry.computeBinding(
      ...([f.operator.address, f.payee.address, ENDPOINT, ZKML_PROVER] as const),
    );
    expect(binding).to.equal(bindingOf(bound));
    expect(await f.verifier.carriedBinding(binding)).to.equal(
      zeroPadBytes(bindingNonce(bound), 32),
    );
  });

  it("test_EvidenceMayBeVerifiedBeforehand", async () => {
    const registration = await makeRegistration(f, enclave);
    await f.verifier.verify(registration.evidence, registration.hints, GAS);
    await register({ ...registration, hints: [] });
    expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(true);
  });

  it("test_ClaimsVerifiedBeforehandStandForTheEvidence", async () => {
    const registration = await makeRegistration(f, enclave);
    await f.verifier.verify(registration.evidence, registration.hints, GAS);
    const evidence = encodeClaims(getBytes(registration.evidence));
    const claimed = { ...registration, evidence, hints: [] };
    await expect(f.registry.connect(f.attacker).register(claimed)).to.be.revertedWithCustomError(
      f.registry,
      "TEERegistry_BindingMismatch",
    );
    await register(claimed);
    expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(true);
  });

  describe("hijacks", () => {
    it("test_RevertWhen_AnotherAccountSendsTheRegistration", async () => {
      const registration = await makeRegistration(f, enclave);
      await expect(register(registration, f.attacker)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_BindingMismatch",
      );
    });

    const changes = {
      PaymentAddress: { paymentAddress: "0x00000000000000000000000000000000000000aa" },
      Endpoint: { endpoint: "https://attacker.example" },
      Type: { teeType: ZKML_PROVER },
    };
    for (const [field, change] of Object.entries(changes)) {
      it(`test_RevertWhen_FieldIsNotTheAttested_${field}`, async () => {
        const registration = await makeRegistration(f, enclave);
        await expect(register({ ...registration, ...change })).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_BindingMismatch",
        );
      });
    }

    it("test_RevertWhen_EvidenceIsForAnotherRegistry", async () => {
      const boundTo = await f.keys.getAddress();
      const registration = await makeRegistration(f, enclave, { boundTo });
      await expect(register(registration)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_BindingMismatch",
      );
    });

    for (const [what, nonce] of [
      ["Absent", null],
      ["Longer", new Uint8Array(21)],
      ["Random", randomBytes(20)],
    ] as const) {
      it(`test_RevertWhen_NonceIs${what}`, async () => {
        const document = enclave.attest({ now: await now(f), nonce });
        await expect(
          register(await makeRegistration(f, enclave, { document })),
        ).to.be.revertedWithCustomError(f.registry, "TEERegistry_BindingMismatch");
      });
    }

    it("test_RevertWhen_KeyIsNotTheAttested", async () => {
      const registration = await makeRegistration(f, enclave);
      const own = await makeEnclave(f);
      await expect(
        register({ ...registration, signingKey: hexlify(own.signingKey) }),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_KeysMismatch");
    });

    it("test_RevertWhen_TlsCertificateIsNotTheAttested", async () => {
      const registration = await makeRegistration(f, enclave);
      await expect(
        register({ ...registration, tlsCertificate: "0x3000" }),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_KeysMismatch");
    });

    it("test_RevertWhen_UserDataHasOtherPrefixes", async () => {
      const userData = enclave.userData();
      userData[34] = 0x13;
      const registration = await makeRegistration(f, enclave, {
        overrides: { user_data: userData },
      });
      await expect(register(registration)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_KeysMismatch",
      );
    });
  });

  describe("replays", () => {
    it("test_RevertWhen_RegisteredTwice", async () => {
      const registration = await makeRegistration(f, enclave);
      await register(registration);
      await expect(register({ ...registration, hints: [] })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_NodeExists",
      );
    });

    it("test_RevertWhen_RegisteredAgainAfterRetiring", async () => {
      const registration = await makeRegistration(f, enclave);
      await register(registration);
      await f.registry.connect(f.operator).retireTEE(enclave.teeId);
      await expect(register({ ...registration, hints: [] })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_NodeExists",
      );
    });

    it("test_RevertWhen_OldEvidenceRenewsANode", async () => {
      const registration = await makeRegistration(f, enclave);
      await register(registration);
      await expect(
        f.registry.connect(f.operator).renew(enclave.teeId, { ...registration, hints: [] }),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_EvidenceNotNewer");
    });

    it("test_RevertWhen_EvidenceIsStale", async () => {
      const registration = await makeRegistration(f, enclave);
      await f.networkHelpers.time.increase(301);
      await expect(register(registration)).to.be.revertedWithCustomError(
        f.verifier,
        "AttestationVerifier_EvidenceTooOld",
      );
    });

    it("test_RevertWhen_EvidenceVerifiedBeforehandBecomesStale", async () => {
      const registration = await makeRegistration(f, enclave);
      await f.verifier.verify(registration.evidence, registration.hints, GAS);
      await f.networkHelpers.time.increase(301);
      await expect(register({ ...registration, hints: [] })).to.be.revertedWithCustomError(
        f.verifier,
        "AttestationVerifier_EvidenceTooOld",
      );
    });

    it("test_RevertWhen_EvidenceIsFromTheFuture", async () => {
      const documentTime = (await now(f)) + 3600n;
      const registration = await makeRegistration(f, enclave, { documentTime });
      await expect(register(registration)).to.be.revertedWithCustomError(
        f.verifier,
        "AttestationVerifier_EvidenceFromFuture",
      );
    });
  });

  describe("images", () => {
    const refused = async (
      options: Parameters<typeof makeRegistration>[2] & {
        image?: ReturnType<typeof measurementsOf>;
      },
      error: string,
    ) => {
      const node = options.image ? await makeEnclave(f, { image: options.image }) : enclave;
      const registration = await makeRegistration(f, node, options);
      await expect(register(registration)).to.be.revertedWithCustomError(f.registry, error);
    };

    it("test_RevertWhen_ImageNotApproved", () =>
      refused({ image: measurementsOf("other") }, "TEERegistry_ImageNotApproved"));
    it("test_RevertWhen_ImageApprovedForAnotherType", () =>
      refused({ teeType: ZKML_PROVER }, "TEERegistry_ImageNotApproved"));
    it("test_RevertWhen_TypeUnknown", () =>
      refused({ teeType: 9 }, "TEERegistry_ImageNotApproved"));
    it("test_RevertWhen_ImageRevoked", async () => {
      await f.registry.connect(f.guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      await refused({}, "TEERegistry_ImageNotApproved");
    });
    it("test_RevertWhen_EndpointEmpty", () =>
      refused({ endpoint: "" }, "TEERegistry_LengthInvalid"));
    it("test_RevertWhen_EndpointTooLong", () =>
      refused({ endpoint: "x".repeat(257) }, "TEERegistry_LengthInvalid"));
    it("test_RevertWhen_PaymentAddressZero", () =>
      refused(
        { paymentAddress: "0x0000000000000000000000000000000000000000" },
        "TEERegistry_PaymentAddressZero",
      ));

    it("test_ImagesTakeTheDelay", async () => {
      const { registry, manager, approver } = f;
      const image = measurementsOf("next");
      const data = registry.interface.encodeFunctionData("approveImage", [
        pcrHashOf(image),
        "v2",
        ...([LLM_PROXY, 0, `0x${"00".repeat(16)}`] as const),
        keccak256("0x01"),
        "https://example.org/source",
      ]);
      const target = await registry.getAddress();
      await expect(
        registry.connect(approver).approvePCR(pcrsOf(image), "v2", LLM_PROXY),
      ).to.be.revertedWithCustomError(manager, "AccessManagerNotScheduled");
      await manager.connect(approver).schedule(target, data, 0);
      await expect(manager.connect(approver).execute(target, data)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerNotReady",
      );
      await f.networkHelpers.time.increase(2 * 24 * 60 * 60);
      await manager.connect(approver).execute(target, data);
      expect(await registry.isPCRApproved(LLM_PROXY, pcrHashOf(image))).to.equal(true);
      const view = await f.lens.getImage(pcrHashOf(image), LLM_PROXY, 0);
      expect(view.version).to.equal("v2");
      expect(view.repository).to.equal("https://example.org/source");
      expect(view.generation).to.equal(1n);
      expect((await f.legacy.getApprovedPCRs()).map((key) => key.pcrHash)).to.deep.equal([
        pcrHashOf(f.image),
        pcrHashOf(image),
      ]);
      expect(await registry.computePCRHash(pcrsOf(image))).to.equal(pcrHashOf(image));
      expect((await f.lens.listImages(1, 9)).length).to.equal(1);
      expect(await registry.imageCount()).to.equal(2n);
    });

    it("test_RevertWhen_MeasurementIsNot48Bytes", async () => {
      const { registry, manager, approver } = f;
      const data = registry.interface.encodeFunctionData("approvePCR", [
        { ...pcrsOf(f.image), pcr1: "0x01" },
        "v",
        LLM_PROXY,
      ]);
      const target = await registry.getAddress();
      await manager.connect(approver).schedule(target, data, 0);
      await f.networkHelpers.time.increase(2 * 24 * 60 * 60);
      await expect(manager.connect(approver).execute(target, data)).to.be.revertedWithCustomError(
        registry,
        "NitroFields_MeasurementInvalid",
      );
    });

    it("test_ApprovedTwiceIsRefused_RevokedTwiceKeepsTheFirstTime", async () => {
      const { registry, guardian } = f;
      await expect(approve(f, f.image)).to.be.revertedWithCustomError(
        registry,
        "TEERegistry_ImageApproved",
      );
      await registry.connect(guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      const { revokedAt } = await f.lens.getImage(pcrHashOf(f.image), LLM_PROXY, 0);
      await registry.connect(guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      const image = await f.lens.getImage(pcrHashOf(f.image), LLM_PROXY, 0);
      expect(image.revokedAt).to.equal(revokedAt);
    });

    it("test_RevokedAndApprovedAgainDoesNotReviveNodes", async () => {
      const { registry, guardian, operator } = f;
      const { teeId, enclave: node } = await admit(f);
      await registry.connect(guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      expect(await registry.isTEEActive(teeId)).to.equal(false);
      await approve(f, f.image);
      // A heartbeat takes the age out of the question; what keeps it inactive is the generation.
      const time = (await now(f)) + 1n;
      const message = keccak256(
        f.ethers.AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [teeId, time]),
      );
      await registry.heartbeat(teeId, time, node.sign(message));
      expect((await f.lens.getImage(pcrHashOf(f.image), LLM_PROXY, 0)).generation).to.equal(2n);
      expect(await registry.isTEEActive(teeId)).to.equal(false);
      await registry.connect(operator).disableTEE(teeId);
      await registry.connect(operator).enableTEE(teeId);
      expect(await registry.isTEEActive(teeId)).to.equal(false);
    });

    it("test_FreshEvidenceMovesANodeToTheNewGeneration", async () => {
      const { registry, guardian, operator } = f;
      await f.registry.connect(f.governance).setHeartbeatMaxAge(86_400);
      const node = await makeEnclave(f);
      await register(await makeRegistration(f, node));
      await registry.connect(guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      await approve(f, f.image);
      const renewed = await makeEnclave(f);
      // The same key under a chain that is valid now, as a running enclave gets it from AWS.
      const again = Object.assign(Object.create(Object.getPrototypeOf(node)), node, {
        chain: renewed.chain,
        leaf: undefined,
      }) as SimulatedEnclave;
      const registration = await makeRegistration(f, again, { endpoint: "https://moved.example" });
      await registry.connect(operator).renew(node.teeId, registration, GAS);
      expect(await registry.isTEEActive(node.teeId)).to.equal(true);
      expect((await registry.getTEE(node.teeId)).endpoint).to.equal("https://moved.example");
      expect((await f.lens.getNode(node.teeId)).imageGeneration).to.equal(2n);
    });
  });

  describe("the legacy entry point", () => {
    const through = async (signer: typeof f.operator) => {
      const document = enclave.attest({ now: await now(f), nonce: randomBytes(20) });
      const registration = await makeRegistration(f, enclave, { document });
      await f.verifier.verify(registration.evidence, registration.hints, GAS);
      return f.registry
        .connect(signer)
        .registerTEEWithAttestation(
          ...([
            registration.evidence,
            registration.signingKey,
            registration.tlsCertificate,
          ] as const),
          ...([f.payee.address, ENDPOINT, LLM_PROXY] as const),
          { gasLimit: 5_000_000n },
        );
    };

    it("test_RegistrarRegistersWithin5MillionGas", async () => {
      await through(f.registrar);
      expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(true);
      expect((await f.registry.getTEE(enclave.teeId)).owner).to.equal(f.registrar.address);
    });

    it("test_RevertWhen_CallerIsNoRegistrar", async () => {
      await expect(through(f.attacker)).to.be.revertedWithCustomError(
        f.registry,
        "AccessManagedUnauthorized",
      );
    });

    it("test_RevertWhen_EvidenceWasNotVerifiedBeforehand", async () => {
      const registration = await makeRegistration(f, enclave);
      await expect(
        f.registry
          .connect(f.registrar)
          .registerTEEWithAttestation(
            ...([
              registration.evidence,
              registration.signingKey,
              registration.tlsCertificate,
            ] as const),
            ...([f.payee.address, ENDPOINT, LLM_PROXY] as const),
          ),
      ).to.be.revertedWithCustomError(f.verifier, "AttestationVerifier_HintsInvalid");
    });
  });

  describe("guards", () => {
    it("test_PauseStopsAdmissionsForABoundedTime", async () => {
      const { registry, guardian, networkHelpers } = f;
      const start = await now(f);
      const week = 7n * 24n * 60n * 60n;
      await expect(
        registry.connect(guardian).pauseAdmission(start + 2n * week),
      ).to.be.revertedWithCustomError(registry, "TEERegistry_PauseInvalid");
      // The call is mined a second later: exactly a week from then is the longest, and the only one refused by a second.
      const mined = (await now(f)) + 1n;
      await expect(registry.connect(guardian).pauseAdmission(mined + week + 1n))
        .to.be.revertedWithCustomError(registry, "TEERegistry_PauseInvalid")
        .withArgs(0n, mined + week, mined + week + 1n);
      const { teeId, enclave: admitted } = await admit(f);
      await registry.connect(guardian).pauseAdmission(start + 3600n);
      // One call must not take out every node whose attestation grows old: renewals go on.
      await networkHelpers.time.increase(1);
      const renewal = await makeRegistration(f, admitted);
      await registry.connect(f.operator).renew(teeId, renewal, GAS);
      await expect(register(await makeRegistration(f, enclave))).to.be.revertedWithCustomError(
        registry,
        "TEERegistry_AdmissionPaused",
      );
      await networkHelpers.time.increaseTo(start + 3600n);
      await expect(
        registry.connect(guardian).pauseAdmission(start + 7200n),
      ).to.be.revertedWithCustomError(registry, "TEERegistry_PauseInvalid");
      await register(await makeRegistration(f, enclave));
      await networkHelpers.time.increaseTo(start + 3600n + week);
      await registry.connect(guardian).pauseAdmission(start + 7200n + week);
    });

    it("test_RevertWhen_OperatorIsDenied", async () => {
      await f.registry.connect(f.guardian).denyOperator(f.operator.address);
      await expect(register(await makeRegistration(f, enclave))).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_OperatorDenied",
      );
    });

    it("test_RevertWhen_VerifierUnknown", async () => {
      const registration = await makeRegistration(f, enclave);
      await expect(register({ ...registration, verifierId: 1 })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_VerifierUnknown",
      );
    });

    const ADDRESS = "0x00000000000000000000000000000000000000aa";
    const HASH = `0x${"11".repeat(32)}`;
    const restricted: [string, readonly unknown[]][] = [
      ["addTEEType", [9, "x"]],
      ["liftBan", [HASH]],
      ["allowOperator", [ADDRESS]],
      ["setHeartbeatMaxAge", [60]],
      ["setAttestationMaxAge", [3600]],
      ["setVerifier", [1, ADDRESS]],
      [
        "approveImage",
        [pcrHashOf(measurementsOf("a")), "v", 0, 0, `0x${"00".repeat(16)}`, HASH, "r"],
      ],
      ["approvePCR", [pcrsOf(measurementsOf("a")), "v", 0]],
      ["revokePCR", [HASH, 0]],
      ["revokeImage", [HASH, 0, 0]],
      ["banTEE", [HASH]],
      ["denyOperator", [ADDRESS]],
      ["pauseAdmission", [1]],
      ["registerTEEWithAttestation", ["0x", "0x", "0x", ADDRESS, "", 0]],
    ];
    for (const [name, values] of restricted) {
      it(`test_RevertWhen_CallerHasNoRole_${name}`, async () => {
        await expect(
          f.registry.connect(f.attacker).getFunction(name)(...values),
        ).to.be.revertedWithCustomError(f.registry, "AccessManagedUnauthorized");
      });
    }
  });
});
