import { encodeName } from "@haca/enclave-simulator/makeCertificate";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { expect } from "chai";
import { AbiCoder, hexlify, keccak256, type Signer, Wallet } from "ethers";
import { network } from "hardhat";
import {
  admit,
  approve,
  deployRegistry,
  LLM_PROXY,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const ENABLED = 1n;
const DISABLED = 2n;
const RETIRED = 3n;
const BANNED = 4n;
const DAY = 86_400;

const heartbeatMessage = (teeId: string, timestamp: bigint) =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [teeId, timestamp]));

describe("TEERegistry nodes", () => {
  let f: RegistryFixture;
  let node: SimulatedEnclave;
  let teeId: string;

  async function deployFixture() {
    const fixture = await deployRegistry(connection);
    return { fixture, ...(await admit(fixture)) };
  }
  beforeEach(async () => {
    const loaded = await loadAtItsTime(connection, deployFixture);
    f = loaded.fixture;
    node = loaded.enclave;
    teeId = loaded.teeId;
  });

  const beat = async (timestamp: bigint, signer: SimulatedEnclave = node) =>
    f.registry.heartbeat(
      signer.teeId,
      timestamp,
      signer.sign(heartbeatMessage(signer.teeId, timestamp)),
    );
  const isActive = () => f.registry.isTEEActive(teeId);
  const statusOf = async () => (await f.lens.getNode(teeId)).status;

  describe("heartbeats", () => {
    for (const kind of ["rsa", "p256", "secp256k1"] as const) {
      it(`test_StoresTheSignedTime_${kind}`, async () => {
        const { enclave } = await admit(f, { kind });
        const time = (await now(f)) + 2n;
        await expect(beat(time, enclave))
          .to.emit(f.registry, "Heartbeat")
          .withArgs(enclave.teeId, time);
        expect((await f.registry.getTEE(enclave.teeId)).lastHeartbeatAt).to.equal(time);
      });

      it(`test_RevertWhen_SignatureIsOfAnotherKey_${kind}`, async () => {
        const { enclave } = await admit(f, { kind });
        const other = await makeEnclave(f, { kind });
        const time = (await now(f)) + 2n;
        const message = heartbeatMessage(enclave.teeId, time);
        for (const signature of [
          other.sign(message),
          "0x",
          "0x00",
          new Uint8Array(64),
          new Uint8Array(256),
        ]) {
          await expect(
            f.registry.heartbeat(enclave.teeId, time, signature),
          ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SignatureInvalid");
        }
      });
    }

    it("test_ReplayedOrBackDatedOneHasNoEffect", async () => {
      const admittedAt = await now(f);
      const time = admittedAt + 2n;
      await beat(time);
      // The second is before the node's own evidence: what gateways send that sign a time five minutes back.
      for (const old of [time, time - 1n, admittedAt - 300n]) {
        await expect(beat(old)).not.to.emit(f.registry, "Heartbeat");
        expect((await f.registry.getTEE(teeId)).lastHeartbeatAt).to.equal(time);
      }
      // It keeps no node alive: it says what was known.
      await f.networkHelpers.time.increase(30 * 60 - 10);
      await beat(time);
      expect(await isActive()).to.equal(true);
      await f.networkHelpers.time.increase(20);
      expect(await isActive()).to.equal(false);
    });

    it("test_RevertWhen_OneWithoutEffectIsNotGenuine", async () => {
      const time = (await f.registry.getTEE(teeId)).lastHeartbeatAt;
      const other = await makeEnclave(f);
      for (const signature of [other.sign(heartbeatMessage(teeId, time)), "0x"]) {
        await expect(f.registry.heartbeat(teeId, time, signature)).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_SignatureInvalid",
        );
      }
      await f.networkHelpers.time.increase(30 * 60 + 10);
      // Too old to count at all, whether or not something newer is known.
      await expect(beat(time)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_HeartbeatStale",
      );
      await f.registry.connect(f.operator).disableTEE(teeId);
      await expect(beat(time)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
    });

    it("test_RevertWhen_FromTheFuture", async () => {
      await expect(beat((await now(f)) + 100n)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_HeartbeatFromFuture",
      );
    });

    it("test_RevertWhen_OlderThanTheMaximumAge", async () => {
      const time = (await now(f)) + 10n;
      await f.networkHelpers.time.increase(DAY);
      await expect(beat(time)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_HeartbeatStale",
      );
    });

    it("test_RevertWhen_TimeIsNotTheSignedOne", async () => {
      const time = (await now(f)) + 2n;
      const signature = node.sign(heartbeatMessage(teeId, time));
      await expect(f.registry.heartbeat(teeId, time + 1n, signature)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SignatureInvalid",
      );
    });

    it("test_RevertWhen_NodeIsUnknownOrOutOfService", async () => {
      const stranger = await makeEnclave(f);
      await expect(beat((await now(f)) + 2n, stranger)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_NodeUnknown",
      );
      await f.registry.connect(f.operator).disableTEE(teeId);
      await expect(beat((await now(f)) + 2n)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
    });

    it("test_WithoutHeartbeatsANodeDropsOut_AndComesBackWithOne", async () => {
      await f.networkHelpers.time.increase(30 * 60 + 1);
      expect(await isActive()).to.equal(false);
      await beat(await now(f));
      expect(await isActive()).to.equal(true);
    });
  });

  describe("session keys", () => {
    const types = {
      SessionKey: [
        { name: "teeId", type: "bytes32" },
        { name: "key", type: "address" },
        { name: "signsResults", type: "bool" },
        { name: "until", type: "uint64" },
        { name: "counter", type: "uint64" },
      ],
    };
    const heartbeatTypes = {
      Heartbeat: [
        { name: "teeId", type: "bytes32" },
        { name: "timestamp", type: "uint256" },
      ],
    };
    /** Another registry's domain is this one's with another address. */
    const elsewhere = () => f.keys.getAddress();
    const domain = async (registry?: string) => ({
      ...{ name: "HACA TEERegistry", version: "1", chainId: f.chainId },
      verifyingContract: registry ?? (await f.registry.getAddress()),
    });
    const session = new Wallet(`0x${"5e".repeat(32)}`);
    type Certification = {
      key?: string;
      signsResults?: boolean;
      until?: bigint;
      counter?: bigint;
      registry?: string;
      /** what is signed, if not the types that the registry knows */
      as?: typeof types;
    };
    const certify = async (options: Certification = {}) => {
      const value = {
        ...{ teeId, key: options.key ?? session.address },
        signsResults: options.signsResults ?? true,
        ...{ until: options.until ?? (await now(f)) + 3600n, counter: options.counter ?? 1n },
      };
      const signature = await certification(value, options);
      const { key, signsResults, until, counter } = value;
      return f.registry.certifySessionKey(teeId, key, signsResults, until, counter, signature);
    };
    const certification = async (value: object, options: Certification = {}) => {
      const { TypedDataEncoder } = f.ethers;
      const digest = TypedDataEncoder.hash(
        ...([await domain(options.registry), options.as ?? types, value] as const),
      );
      return node.sign(digest);
    };
    const isSessionActive = (key: string, timestamp: bigint) =>
      f.lens.isSessionActiveAt(teeId, key, timestamp);
    const sessionBeat = async (timestamp: bigint, registry?: string, signer: Signer = session) => {
      const signature = await signer.signTypedData(await domain(registry), heartbeatTypes, {
        ...{ teeId, timestamp },
      });
      return f.registry.heartbeatBySession(teeId, timestamp, signature);
    };

    it("test_SessionKeyBeatsForItsNode", async () => {
      const until = (await now(f)) + 3600n;
      const key = session.address;
      await expect(certify({ until })).to.emit(f.registry, "SessionKeyCertified");
      const from = await now(f);
      const stored = await f.registry.sessionKey(teeId, key);
      expect([...stored]).to.deep.equal([from, until, true]);
      const time = (await now(f)) + 2n;
      await sessionBeat(time);
      expect((await f.registry.getTEE(teeId)).lastHeartbeatAt).to.equal(time);
      expect(await isSessionActive(key, await now(f))).to.equal(true);
      expect(await isSessionActive(key, from - 1n)).to.equal(false);
      expect(await isSessionActive(key, (await now(f)) + 1n)).to.equal(false);
      expect(await isSessionActive(f.attacker.address, await now(f))).to.equal(false);
    });

    it("test_HeartbeatKeyBeats_AndSpeaksInNoResult", async () => {
      await certify({ signsResults: false });
      const from = await now(f);
      expect((await f.registry.sessionKey(teeId, session.address)).signsResults).to.equal(false);
      await sessionBeat(from + 2n);
      expect((await f.registry.getTEE(teeId)).lastHeartbeatAt).to.equal(from + 2n);
      // The node was active then, and the key valid: it is for heartbeats, so no result of it counts.
      expect(await f.registry.isActiveAt(teeId, from)).to.equal(true);
      expect(await isSessionActive(session.address, from)).to.equal(false);
    });

    it("test_RevertWhen_StatementIsOfAnotherPurposeOrOfNone", async () => {
      const until = (await now(f)) + 3600n;
      const statement = { teeId, key: session.address, signsResults: false, until, counter: 1n };
      const narrow = await certification(statement);
      // What a node signed for heartbeats does not certify a key for results, nor the other way round.
      const wide = await certification({ ...statement, signsResults: true });
      const send = (signsResults: boolean, signature: Uint8Array | string) =>
        f.registry.certifySessionKey(teeId, session.address, signsResults, until, 1n, signature);
      for (const [signsResults, signature] of [
        [true, narrow],
        [false, wide],
      ] as const) {
        await expect(send(signsResults, signature)).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_SignatureInvalid",
        );
      }
      // The statement of earlier registries names no purpose.
      const purposeless = { SessionKey: types.SessionKey.filter((x) => x.name !== "signsResults") };
      for (const signsResults of [false, true]) {
        await expect(certify({ signsResults, as: purposeless })).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_SignatureInvalid",
        );
      }
      await send(false, narrow);
    });

    it("test_RevertWhen_KeyIsCertifiedAgainForAnotherPurpose", async () => {
      await certify({ signsResults: false });
      const before = await f.registry.sessionKey(teeId, session.address);
      const widen = () => certify({ signsResults: true, counter: 2n });
      await expect(widen()).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
      await f.registry.connect(f.operator).endSessionKey(teeId, session.address);
      await expect(widen()).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
      const { from, signsResults } = await f.registry.sessionKey(teeId, session.address);
      expect([from, signsResults]).to.deep.equal([before.from, false]);
    });

    it("test_RevertWhen_CertificationIsForAnotherRegistry", async () => {
      await expect(certify({ registry: await elsewhere() })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SignatureInvalid",
      );
    });

    it("test_RevertWhen_SessionHeartbeatIsForAnotherRegistry", async () => {
      await certify();
      await expect(
        sessionBeat((await now(f)) + 2n, await elsewhere()),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SessionKeyInvalid");
    });

    it("test_RevertWhen_SessionKeyIsUnknown", async () => {
      await expect(sessionBeat((await now(f)) + 2n)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
    });

    it("test_RevertWhen_EndedSessionBeatsWithoutEffect", async () => {
      await certify();
      const time = await now(f);
      await sessionBeat(time);
      await expect(sessionBeat(time)).not.to.emit(f.registry, "Heartbeat");
      await f.registry.connect(f.operator).endSessionKey(teeId, session.address);
      await expect(sessionBeat(time)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
    });

    it("test_RevertWhen_SessionHasExpired", async () => {
      await certify({ until: (await now(f)) + 100n });
      await f.networkHelpers.time.increase(101);
      await expect(sessionBeat((await now(f)) + 1n)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
    });

    it("test_EndedSessionKeepsItsHistory", async () => {
      await certify();
      const during = await now(f);
      await f.networkHelpers.time.increase(10);
      await f.registry.connect(f.operator).endSessionKey(teeId, session.address);
      await expect(sessionBeat((await now(f)) + 1n)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
      expect(await isSessionActive(session.address, during)).to.equal(true);
      expect(await isSessionActive(session.address, await now(f))).to.equal(false);
      await expect(
        f.registry.connect(f.operator).endSessionKey(teeId, session.address),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SessionKeyInvalid");
    });

    it("test_RevertWhen_CounterOrKeyIsUsedAgain", async () => {
      await certify({ counter: 5n });
      await expect(certify({ key: f.attacker.address, counter: 5n })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_CounterNotNewer",
      );
      await expect(certify({ counter: 6n })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_SessionKeyInvalid",
      );
    });

    it("test_RevertWhen_SessionIsTooLongOrOver", async () => {
      await expect(
        certify({ until: (await now(f)) + 31n * 86_400n }),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SessionTooLong");
      await expect(certify({ until: await now(f) })).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatementExpired",
      );
    });

    it("test_OhttpKeyIsAcceptedFromTheNodeOnly", async () => {
      const ohttpTypes = {
        OhttpKey: [
          { name: "teeId", type: "bytes32" },
          { name: "keyId", type: "uint8" },
          { name: "kemId", type: "uint16" },
          { name: "kdfId", type: "uint16" },
          { name: "aeadId", type: "uint16" },
          { name: "publicKey", type: "bytes" },
          { name: "keyConfig", type: "bytes" },
          { name: "deadline", type: "uint64" },
          { name: "counter", type: "uint64" },
        ],
      };
      const config = {
        keyId: 7,
        kemId: 32,
        kdfId: 1,
        aeadId: 1,
        publicKey: "0x0102",
        keyConfig: "0x03",
      };
      const deadline = (await now(f)) + 100n;
      const digestFor = async (registry: string | undefined, counter: bigint) =>
        f.ethers.TypedDataEncoder.hash(await domain(registry), ohttpTypes, {
          ...{ teeId, ...config, deadline, counter },
        });
      const stored = { ...config, registeredAt: 0n };
      // Session keys have a counter of their own.
      await certify({ counter: 2n ** 64n - 1n });
      const signature = node.sign(await digestFor(undefined, 1n));
      await expect(
        f.registry.setOhttpConfig(teeId, { ...stored, keyId: 8 }, deadline, 1n, signature),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SignatureInvalid");
      await expect(
        f.registry.setOhttpConfig(
          teeId,
          stored,
          deadline,
          1n,
          node.sign(await digestFor(await elsewhere(), 1n)),
        ),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_SignatureInvalid");
      await f.registry.setOhttpConfig(teeId, stored, deadline, 1n, signature);
      const { ohttpConfig } = await f.registry.getTEE(teeId);
      expect(ohttpConfig.keyId).to.equal(7n);
      expect(ohttpConfig.publicKey).to.equal("0x0102");
      expect(ohttpConfig.registeredAt).to.equal(await now(f));
      await expect(
        f.registry.setOhttpConfig(teeId, stored, deadline, 1n, signature),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_CounterNotNewer");
      await f.networkHelpers.time.increase(200);
      await expect(
        f.registry.setOhttpConfig(
          teeId,
          stored,
          deadline,
          2n,
          node.sign(await digestFor(undefined, 2n)),
        ),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_StatementExpired");
    });
  });

  describe("life", () => {
    const operations = ["disableTEE", "enableTEE", "retireTEE"] as const;
    for (const name of operations) {
      it(`test_RevertWhen_CallerIsNotTheOperator_${name}`, async () => {
        for (const signer of [f.attacker, f.governance, f.guardian, f.payee]) {
          await expect(f.registry.connect(signer)[name](teeId)).to.be.revertedWithCustomError(
            f.registry,
            "TEERegistry_NotOperator",
          );
        }
      });
    }

    it("test_RevertWhen_AnotherRenewsTheAttestation", async () => {
      const registration = await makeRegistration(f, node, { operator: f.attacker });
      await expect(
        f.registry.connect(f.attacker).renew(teeId, registration, GAS),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_NotOperator");
    });

    it("test_WasInService_NeedsNoHeartbeat", async () => {
      const during = await now(f);
      await f.networkHelpers.time.increase(DAY);
      const late = await now(f);
      expect(await f.registry.isActiveAt(teeId, late)).to.equal(false);
      expect(await f.registry.wasInService(teeId, late)).to.equal(true);
      expect(await f.registry.wasInService(teeId, during)).to.equal(true);
      // A heartbeat that comes later changes nothing about it.
      await beat(late);
      expect(await f.registry.wasInService(teeId, late)).to.equal(true);
      // Nor does the attestation's age.
      await f.networkHelpers.time.increase(8 * DAY);
      const old = await now(f);
      await beat(old);
      expect(await f.registry.isActiveAt(teeId, old)).to.equal(false);
      expect(await f.registry.wasInService(teeId, old)).to.equal(true);
    });

    it("test_WasInService_NeverAnswersForTheFutureOrBeforeAdmission", async () => {
      const { registeredAt } = await f.registry.getTEE(teeId);
      const time = await now(f);
      expect(await f.registry.wasInService(teeId, registeredAt)).to.equal(true);
      expect(await f.registry.wasInService(teeId, registeredAt - 1n)).to.equal(false);
      expect(await f.registry.wasInService(teeId, time)).to.equal(true);
      for (const future of [time + 1n, 2n ** 48n + time, 2n ** 256n - 1n]) {
        expect(await f.registry.wasInService(teeId, future)).to.equal(false);
      }
    });

    it("test_WasInService_EndsWithDisablingAndBeginsWithEnabling", async () => {
      const during = await now(f);
      await f.networkHelpers.time.increase(10);
      await f.registry.connect(f.operator).disableTEE(teeId);
      const disabledAt = await now(f);
      await f.networkHelpers.time.increase(10);
      await f.registry.connect(f.operator).enableTEE(teeId);
      const enabledAt = await now(f);
      const answers = await Promise.all(
        [during, disabledAt - 1n, disabledAt, enabledAt - 1n, enabledAt].map((time) =>
          f.registry.wasInService(teeId, time),
        ),
      );
      expect(answers).to.deep.equal([true, true, false, false, true]);
      await f.registry.connect(f.operator).retireTEE(teeId);
      expect(await f.registry.wasInService(teeId, during)).to.equal(true);
      expect(await f.registry.wasInService(teeId, await now(f))).to.equal(false);
    });

    it("test_WasInService_BansAndDenialsTakeThePastOut", async () => {
      const during = await now(f);
      const guardian = f.registry.connect(f.guardian);
      const governance = f.registry.connect(f.governance);
      await guardian.denyOperator(f.operator.address);
      expect(await f.registry.wasInService(teeId, during)).to.equal(false);
      await governance.allowOperator(f.operator.address);
      expect(await f.registry.wasInService(teeId, during)).to.equal(true);
      await guardian.banTEE(teeId);
      expect(await f.registry.wasInService(teeId, during)).to.equal(false);
      await governance.liftBan(teeId);
      const liftedAt = await now(f);
      expect(await f.registry.wasInService(teeId, during)).to.equal(true);
      expect(await f.registry.wasInService(teeId, liftedAt)).to.equal(false);
    });

    it("test_WasInService_EndsWithImageVerifierAndCertificates", async () => {
      const during = await now(f);
      await f.networkHelpers.time.increase(10);
      const guardian = f.registry.connect(f.guardian);
      await guardian.revokePCR(pcrHashOf(f.image), LLM_PROXY);
      expect(await f.registry.wasInService(teeId, during)).to.equal(true);
      expect(await f.registry.wasInService(teeId, (await now(f)) - 1n)).to.equal(true);
      expect(await f.registry.wasInService(teeId, await now(f))).to.equal(false);

      const image = measurementsOf("another image");
      await approve(f, image);
      const other = await admit(f, { image });
      const otherDuring = await now(f);
      await f.networkHelpers.time.increase(10);
      const verifier = await f.registry.verifier(0);
      // The same contract again is another term all the same.
      await f.registry.connect(f.governance).setVerifier(0, verifier);
      expect(await f.registry.wasInService(other.teeId, otherDuring)).to.equal(true);
      expect(await f.registry.wasInService(other.teeId, await now(f))).to.equal(false);

      const [name = ""] = other.enclave.chain.names;
      await f.store.connect(f.guardian).revokeUnseen(encodeName(name), 2n);
      expect(await f.registry.wasInService(other.teeId, otherDuring)).to.equal(false);
    });

    it("test_DisablingEndsTheInterval_NotTheHistory", async () => {
      const during = await now(f);
      const operator = f.registry.connect(f.operator);
      await f.networkHelpers.time.increase(10);
      await operator.disableTEE(teeId);
      const disabledAt = await now(f);
      expect(await isActive()).to.equal(false);
      expect(await f.registry.isTEEEnabled(teeId)).to.equal(false);
      await f.networkHelpers.time.increase(10);
      await operator.enableTEE(teeId);
      const enabledAt = await now(f);
      expect(await isActive()).to.equal(true);
      expect(await f.registry.isActiveAt(teeId, during)).to.equal(true);
      expect(await f.registry.isActiveAt(teeId, disabledAt - 1n)).to.equal(true);
      expect(await f.registry.isActiveAt(teeId, disabledAt)).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, enabledAt - 1n)).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, enabledAt)).to.equal(true);
      expect(await f.registry.isActiveAt(teeId, enabledAt + 1n)).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, during - 3600n)).to.equal(false);
    });

    it("test_RevertWhen_TransitionIsNotAllowed", async () => {
      const operator = f.registry.connect(f.operator);
      await expect(operator.enableTEE(teeId)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
      await operator.retireTEE(teeId);
      expect(await statusOf()).to.equal(RETIRED);
      for (const name of operations) {
        await expect(operator[name](teeId)).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_StatusInvalid",
        );
      }
      const registration = await makeRegistration(f, node);
      await expect(operator.renew(teeId, registration, GAS)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_StatusInvalid",
      );
    });

    it("test_BanCoversThePast_AndAnOperatorCannotUndoIt", async () => {
      const during = await now(f);
      const operator = f.registry.connect(f.operator);
      await f.registry.connect(f.guardian).banTEE(teeId);
      expect(await statusOf()).to.equal(BANNED);
      expect(await isActive()).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, during)).to.equal(false);
      for (const name of ["disableTEE", "enableTEE"] as const) {
        await expect(operator[name](teeId)).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_StatusInvalid",
        );
      }
      await expect(
        operator.renew(teeId, await makeRegistration(f, node), GAS),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_StatusInvalid");
      await f.registry.connect(f.governance).liftBan(teeId);
      expect(await statusOf()).to.equal(DISABLED);
      await operator.enableTEE(teeId);
      expect(await statusOf()).to.equal(ENABLED);
      expect(await f.registry.isActiveAt(teeId, during)).to.equal(true);
    });

    it("test_DeniedOperatorsNodesAreInactive", async () => {
      const during = await now(f);
      await f.registry.connect(f.guardian).denyOperator(f.operator.address);
      expect(await isActive()).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, during)).to.equal(false);
      await f.registry.connect(f.governance).allowOperator(f.operator.address);
      expect(await isActive()).to.equal(true);
    });

    it("test_RevokedImageEndsTheIntervalOfItsNodes", async () => {
      const during = await now(f);
      await f.networkHelpers.time.increase(10);
      await f.registry.connect(f.guardian).revokePCR(pcrHashOf(f.image), LLM_PROXY);
      expect(await isActive()).to.equal(false);
      expect(await f.registry.isActiveAt(teeId, during)).to.equal(true);
      expect(await f.registry.isActiveAt(teeId, await now(f))).to.equal(false);
    });

    it("test_RevokedCertificateMakesItsNodesInactive", async () => {
      await f.store.connect(f.guardian).revokeUnseen(encodeName(node.chain.names[0] ?? ""), 2n);
      expect(await isActive()).to.equal(false);
    });

    it("test_ExpiredCertificatesDoNotTouchAdmittedNodes_TheAttestationsAgeDoes", async () => {
      await f.registry.connect(f.governance).setHeartbeatMaxAge(DAY);
      await f.networkHelpers.time.increase(7 * DAY - 100);
      await beat(await now(f));
      expect(await isActive()).to.equal(true);
      await f.networkHelpers.time.increase(200);
      expect(await isActive()).to.equal(false);
      await beat(await now(f));
      expect(await isActive()).to.equal(false);
    });

    it("test_RemovedVerifierVouchesForNobody", async () => {
      await f.registry
        .connect(f.governance)
        .setVerifier(0, "0x0000000000000000000000000000000000000000");
      expect(await isActive()).to.equal(false);
    });

    it("test_FreshEvidenceReplacesWhatWasAttested", async () => {
      await f.networkHelpers.time.increase(10);
      const paymentAddress = f.attacker.address;
      const registration = await makeRegistration(f, node, {
        paymentAddress,
        endpoint: "https://new",
      });
      await expect(f.registry.connect(f.operator).renew(teeId, registration, GAS)).to.emit(
        f.registry,
        "TEEAttested",
      );
      const info = await f.registry.getTEE(teeId);
      expect(info.paymentAddress).to.equal(paymentAddress);
      expect(info.endpoint).to.equal("https://new");
      expect(await isActive()).to.equal(true);
    });

    it("test_RevertWhen_FreshEvidenceIsOfAnotherEnclave", async () => {
      const other = await makeEnclave(f);
      await expect(
        f.registry.connect(f.operator).renew(teeId, await makeRegistration(f, other), GAS),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_KeyMismatch");
    });
  });

  describe("lists", () => {
    it("test_PagesCoverEveryNodeOnce", async () => {
      const ids = [teeId];
      for (let i = 0; i < 4; i++) ids.push((await admit(f)).teeId);
      const { registry } = f;
      expect(await registry.nodeCount(LLM_PROXY)).to.equal(5n);
      const pages = [0, 2, 4, 6].map(async (offset) => [
        ...(await f.lens.listNodes(LLM_PROXY, offset, 2)),
      ]);
      expect((await Promise.all(pages)).flat()).to.deep.equal(ids);
      expect([...(await f.lens.listNodes(LLM_PROXY, 1, 100))]).to.deep.equal(ids.slice(1));
      expect([...(await f.lens.listNodes(1, 0, 100))]).to.deep.equal([]);
      await registry.connect(f.operator).disableTEE(ids[1] ?? "");
      await registry.connect(f.guardian).banTEE(ids[3] ?? "");
      const left = [ids[0], ids[2], ids[4]];
      expect([...(await f.legacy.getTEEsByType(LLM_PROXY))]).to.deep.equal(ids);
      expect([...(await f.legacy.getEnabledTEEs(LLM_PROXY))]).to.deep.equal(left);
      expect([...(await f.legacy.getEnabledTEEs(1))]).to.deep.equal([]);
      expect([...(await f.lens.listActiveNodes(LLM_PROXY, 0, 3))]).to.deep.equal([ids[0], ids[2]]);
      const active = await registry.getActiveTEEs(LLM_PROXY);
      expect(active.map(({ publicKey }) => keccak256(publicKey))).to.deep.equal(left);
    });

    it("test_RevertWhen_NodeUnknown", async () => {
      const unknown = hexlify(new Uint8Array(32));
      for (const name of ["getTEE", "nodeOf", "getTEEPublicKey"] as const) {
        await expect(f.registry[name](unknown)).to.be.revertedWithCustomError(
          f.registry,
          "TEERegistry_NodeUnknown",
        );
      }
      await expect(f.lens.getNode(unknown)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_NodeUnknown",
      );
      expect(await f.registry.isTEEActive(unknown)).to.equal(false);
      expect(await f.registry.isActiveAt(unknown, 0)).to.equal(false);
      expect(await f.registry.wasInService(unknown, 0)).to.equal(false);
      expect(await f.registry.wasInService(unknown, await now(f))).to.equal(false);
      expect(await f.registry.isTEEEnabled(unknown)).to.equal(false);
    });

    it("test_TypesAreListed", async () => {
      const [typeIds, infos] = await f.registry.getTEETypes();
      expect([...typeIds]).to.deep.equal([0n, 1n, 2n, 3n]);
      expect(infos.map(({ name }) => name)).to.deep.equal([
        "LLMProxy",
        "Validator",
        "DataNode",
        "ZkmlProver",
      ]);
      expect(await f.registry.isValidTEEType(3)).to.equal(true);
      expect(await f.registry.isValidTEEType(4)).to.equal(false);
      await expect(
        f.registry.connect(f.governance).addTEEType(0, "again"),
      ).to.be.revertedWithCustomError(f.registry, "TEERegistry_TypeExists");
    });
  });

  it("test_ParametersStayInTheirBounds", async () => {
    const governance = f.registry.connect(f.governance);
    for (const age of [59, DAY + 1]) {
      await expect(governance.setHeartbeatMaxAge(age)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_AgeInvalid",
      );
    }
    for (const age of [3599, 90 * DAY + 1]) {
      await expect(governance.setAttestationMaxAge(age)).to.be.revertedWithCustomError(
        f.registry,
        "TEERegistry_AgeInvalid",
      );
    }
    await governance.setAttestationMaxAge(3600);
    expect(await f.registry.attestationMaxAge()).to.equal(3600n);
  });
});
