import type { KeyObject } from "node:crypto";
import { pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import type { SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { RequestIds } from "@haca/gateway/profile/requestIds";
import { openResultSigner } from "@haca/gateway/profile/resultSigner";
import { signAnswer } from "@haca/gateway/profile/signAnswer";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import {
  AbiCoder,
  hexlify,
  id,
  keccak256,
  Signature,
  type TypedDataDomain,
  type Wallet,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { network } from "hardhat";
import {
  admit,
  LLM_PROXY,
  loadAtItsTime,
  now,
  type RegistryFixture,
} from "../utils/attestationFixture.ts";
import { certifySession, deployEnclaveResults } from "../utils/enclaveResults.ts";

const connection = await network.create();
const WINDOW = 7n * 86_400n;
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("InferenceSettlement: results of enclaves", () => {
  let f: RegistryFixture;
  let enclave: SimulatedEnclave;
  let versionId: string;
  let domain: TypedDataDomain;

  const deployFixture = () => deployEnclaveResults(connection);
  beforeEach(async () => {
    const loaded = await loadAtItsTime(connection, deployFixture);
    ({ fixture: f, enclave, versionId, domain } = loaded);
  });

  const infer = async (overrides: Partial<InferenceResult> = {}, of = enclave) => {
    const result: InferenceResult = {
      modelVersion: versionId,
      inputHash: id("question"),
      outputHash: id("answer"),
      requester: ZeroAddress,
      requestId: encodeRequestId({ node: nodeOfEnclave(of.teeId), nonce: 3n }),
      price: 0n,
      timestamp: await now(f),
      teeId: of.teeId,
      ...overrides,
    };
    return result;
  };
  const digestOf = (result: InferenceResult) => hashResult({ domain, result });
  const sign = (result: InferenceResult, by = enclave) => hexlify(by.sign(digestOf(result)));
  /** Anybody settles. */
  const settle = (result: InferenceResult, signature = sign(result)) =>
    f.settlement.connect(f.attacker).settleTee(result, signature);
  const expectRefusal = (call: Promise<unknown>, error: string) =>
    expect(call).to.be.revertedWithCustomError(f.settlement, error);

  const certify = (options: { signsResults?: boolean; until?: bigint } = {}) =>
    certifySession({ fixture: f, enclave, ...options });
  const signBySession = (result: InferenceResult, session: Wallet) =>
    session.signingKey.sign(digestOf(result)).serialized;

  describe("what it settles", () => {
    for (const kind of ["rsa", "p256", "secp256k1"] as const satisfies SigningKeyKind[]) {
      it(`test_SettlesAResultSignedByTheEnclave_${kind}`, async () => {
        const { enclave: signer } = await admit(f, { kind, teeType: 3 }).catch(async () =>
          admit(f, { kind }),
        );
        const result = await infer({ requester: f.payee.address }, signer);
        await expect(settle(result, sign(result, signer)))
          .to.emit(f.settlement, "InferenceSettled")
          .withArgs(
            ...[result.requestId, versionId, result.requester, 2n],
            ...[result.inputHash, result.outputHash, 0n, result.timestamp, signer.teeId, []],
          );
        expect(await f.settlement.isSettled(result.requestId)).to.equal(true);
      });
    }

    for (const kind of ["rsa", "p256", "secp256k1"] as const satisfies SigningKeyKind[]) {
      it(`test_SettlesWhatAGatewaySigned_${kind}`, async () => {
        const { enclave: attested } = await admit(f, { kind });
        const key = Reflect.get(attested, "privateKey") as KeyObject;
        const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
        const signer = openResultSigner({ attestedKey: pem });
        const timestamp = await now(f);
        const { message, signature } = signAnswer({
          signing: { signer, ids: new RequestIds(signer.teeId), domain, clock: () => timestamp },
          ...{ modelVersion: versionId, inputHash: id("question") },
          answer: new Map([["model", "chat"]]),
        });
        const result = { ...message, price: BigInt(message.price), timestamp };
        expect(await f.settlement.hashResult(result)).to.equal(digestOf(result));
        await settle(result, signature);
        expect(await f.settlement.isSettled(result.requestId)).to.equal(true);
      });
    }

    it("test_SettlesAResultSignedByASessionKey", async () => {
      const session = await certify();
      const result = await infer();
      await settle(result, signBySession(result, session));
      expect(await f.settlement.isSettled(result.requestId)).to.equal(true);
    });

    it("test_KeepsTheDigestOfWhatHasAPrice", async () => {
      const result = await infer({ price: 5n });
      await settle(result);
      expect(await f.settlement.digestOf(result.requestId)).to.equal(
        keccak256(AbiCoder.defaultAbiCoder().encode(["uint8", "bytes32"], [2, digestOf(result)])),
      );
    });

    it("test_SettlesAResultFromTheNextSeconds", async () => {
      await settle(await infer({ timestamp: (await now(f)) + 50n }));
    });
  });

  describe("the request", () => {
    it("test_RevertWhen_SettledAgain_ByWhateverSignature", async () => {
      const session = await certify();
      const result = await infer();
      await settle(result);
      for (const signature of [sign(result), signBySession(result, session)]) {
        await expectRefusal(settle(result, signature), "InferenceSettlement_AlreadySettled");
      }
    });

    it("test_RevertWhen_TheRequestIsOfAnotherNode", async () => {
      const { enclave: other } = await admit(f, { kind: "rsa" });
      for (const node of [nodeOfEnclave(other.teeId), f.operator.address]) {
        const result = await infer({ requestId: encodeRequestId({ node, nonce: 0n }) });
        await expect(settle(result))
          .to.be.revertedWithCustomError(f.settlement, "InferenceSettlement_WrongNode")
          .withArgs(nodeOfEnclave(enclave.teeId), node);
      }
    });

    it("test_RevertWhen_TheResultNamesNoEnclave", async () => {
      const requestId = encodeRequestId({ node: ZeroAddress, nonce: 0n });
      const result = await infer({ teeId: ZeroHash, requestId });
      await expectRefusal(settle(result), "InferenceSettlement_NotInService");
    });
  });

  describe("the signature", () => {
    it("test_RevertWhen_AnyFieldChanges", async () => {
      const result = await infer();
      const signature = sign(result);
      for (const change of [
        { inputHash: id("x") },
        { outputHash: id("x") },
        { requester: f.payee.address },
        { price: 1n },
        { timestamp: result.timestamp - 1n },
        { requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce: 4n }) },
      ]) {
        await expectRefusal(
          settle({ ...result, ...change }, signature),
          "InferenceSettlement_EnclaveSignatureInvalid",
        );
      }
    });

    it("test_RevertWhen_SignedForAnotherContractOrChain", async () => {
      const result = await infer();
      for (const change of [{ chainId: 1n }, { verifyingContract: f.payee.address }]) {
        const digest = hashResult({ domain: { ...domain, ...change }, result });
        await expectRefusal(
          settle(result, hexlify(enclave.sign(digest))),
          "InferenceSettlement_EnclaveSignatureInvalid",
        );
      }
    });

    it("test_RevertWhen_SignedByAnotherEnclave", async () => {
      const { enclave: other } = await admit(f, { kind: "rsa" });
      const result = await infer();
      await expectRefusal(
        settle(result, sign(result, other)),
        "InferenceSettlement_EnclaveSignatureInvalid",
      );
    });

    it("test_RevertWhen_SignedByTheOperator_OrByAStranger", async () => {
      const result = await infer();
      for (const signer of [f.operator, f.attacker]) {
        const types = (await import("@haca/protocol/inferenceResult")).INFERENCE_RESULT_TYPES;
        await expectRefusal(
          settle(result, await signer.signTypedData(domain, types, result)),
          "InferenceSettlement_EnclaveSignatureInvalid",
        );
      }
    });

    it("test_RevertWhen_TheSignatureIsGarbage", async () => {
      const result = await infer();
      for (const signature of ["0x", "0x00", `0x${"00".repeat(65)}`, `0x${"ff".repeat(256)}`]) {
        await expectRefusal(
          settle(result, signature),
          "InferenceSettlement_EnclaveSignatureInvalid",
        );
      }
    });

    it("test_RevertWhen_ASessionsSignatureIsMalleated", async () => {
      const session = await certify();
      const result = await infer();
      const { r, s, v } = Signature.from(signBySession(result, session));
      const highS = `0x${(CURVE_ORDER - BigInt(s)).toString(16).padStart(64, "0")}`;
      const malleated = `${r}${highS.slice(2)}${v === 27 ? "1c" : "1b"}`;
      await expectRefusal(settle(result, malleated), "InferenceSettlement_EnclaveSignatureInvalid");
    });

    it("test_RevertWhen_TheSessionKeyIsForHeartbeats", async () => {
      const session = await certify({ signsResults: false });
      const result = await infer();
      await expectRefusal(
        settle(result, signBySession(result, session)),
        "InferenceSettlement_EnclaveSignatureInvalid",
      );
    });

    it("test_RevertWhen_TheSessionKeyWasNotValidAtTheResultsTime", async () => {
      const before = await now(f);
      const until = before + 100n;
      const session = await certify({ until });
      const early = await infer({ timestamp: before });
      await f.networkHelpers.time.increaseTo(until);
      for (const result of [early, await infer({ timestamp: until })]) {
        await expectRefusal(
          settle(result, signBySession(result, session)),
          "InferenceSettlement_EnclaveSignatureInvalid",
        );
      }
      const inTime = await infer({ timestamp: until - 1n });
      await settle(inTime, signBySession(inTime, session));
    });
  });

  describe("the enclave's service", () => {
    /** A result from before what happens, and one from after it. */
    const around = async (happens: () => Promise<unknown>) => {
      const before = await infer();
      await f.networkHelpers.time.increase(10);
      await happens();
      await f.networkHelpers.time.increase(10);
      const after = await infer({
        requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce: 4n }),
      });
      return { before, after };
    };

    it("test_RevertWhen_Disabled_AfterwardsOnly", async () => {
      const { before, after } = await around(() =>
        f.registry.connect(f.operator).disableTEE(enclave.teeId),
      );
      await expectRefusal(settle(after), "InferenceSettlement_NotInService");
      await settle(before);
    });

    it("test_RevertWhen_TheImageWasRevoked_AfterwardsOnly", async () => {
      const { before, after } = await around(() =>
        f.registry.connect(f.guardian).revokeImage(pcrHashOf(f.image), LLM_PROXY, 0),
      );
      await expectRefusal(settle(after), "InferenceSettlement_NotInService");
      await settle(before);
    });

    it("test_RevertWhen_Banned_BeforeAsWell", async () => {
      const { before, after } = await around(() =>
        f.registry.connect(f.guardian).banTEE(enclave.teeId),
      );
      for (const result of [before, after]) {
        await expectRefusal(settle(result), "InferenceSettlement_NotInService");
      }
    });

    it("test_SettlesWhen_HeartbeatsAreLate", async () => {
      await f.networkHelpers.time.increase(2n * 86_400n);
      expect(await f.registry.isTEEActive(enclave.teeId)).to.equal(false);
      await settle(await infer());
    });

    it("test_RevertWhen_TheResultIsFromBeforeTheAdmission", async () => {
      const { registeredAt } = await f.registry.nodeOf(enclave.teeId);
      await expectRefusal(
        settle(await infer({ timestamp: registeredAt - 1n })),
        "InferenceSettlement_NotInService",
      );
    });

    it("test_RevertWhen_TheResultIsLate_OrFromTheFuture", async () => {
      const time = await now(f);
      await expectRefusal(
        settle(await infer({ timestamp: time + 120n })),
        "InferenceSettlement_ResultFromFuture",
      );
      const result = await infer();
      await f.networkHelpers.time.increase(WINDOW + 1n);
      await expectRefusal(settle(result), "InferenceSettlement_ResultExpired");
    });
  });

  it("test_RevertWhen_TheVersionIsUnknown_OrDeprecatedBefore", async () => {
    await expectRefusal(
      settle(await infer({ modelVersion: id("unknown") })),
      "InferenceSettlement_VersionUnknown",
    );
    const before = await infer();
    await f.models.connect(f.governance).deprecateVersion(versionId);
    const after = await infer({
      requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce: 4n }),
    });
    await expectRefusal(settle(after), "InferenceSettlement_VersionDeprecated");
    await settle(before);
  });
});
