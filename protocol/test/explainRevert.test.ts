import { type ErrorFragment, Interface, type InterfaceAbi } from "ethers";
import { describe, expect, it } from "vitest";
import {
  attestationErrorsAbi,
  certificateStoreAbi,
  channelGateAbi,
  channelGatesAbi,
  inferenceEscrowAbi,
  nitroVerifierAbi,
  pageSettlementAbi,
  rewardRouterAbi,
  signingKeysAbi,
  teeRegistryAbi,
  validatorStakingAbi,
} from "../generated/abi.ts";
import { explainRevert, revertData } from "../src/explainRevert.ts";

const id = `0x${"12".repeat(32)}`;
const encode = (abi: InterfaceAbi, name: string, ...values: unknown[]): string =>
  new Interface(abi).encodeErrorResult(name, values);

describe("explainRevert", () => {
  it.each<[string, unknown[], string]>([
    ["TEERegistry_NodeUnknown", [id], `the registry has no node ${id}`],
    ["TEERegistry_StatusInvalid", [id, 4], `node ${id} is banned: not possible in that state`],
    [
      "TEERegistry_AdmissionPaused",
      [1_900_000_000n],
      "admissions of new nodes are paused until 2030-03-17T17:46:40Z",
    ],
    [
      "TEERegistry_HeartbeatStale",
      [1_900_000_001n, 1_900_000_000n],
      "the heartbeat of 2030-03-17T17:46:40Z is too old, it must not be before 2030-03-17T17:46:41Z",
    ],
    // An error without a sentence of its own keeps its name and arguments.
    ["TEERegistry_CounterNotNewer", [5n, 4n], "TEERegistry_CounterNotNewer(last: 5, actual: 4)"],
  ])("puts %s into words", (name, values, message) => {
    expect(explainRevert(encode(teeRegistryAbi, name, ...values))).toEqual({ name, message });
  });

  it("knows the errors of verifier and certificate store", () => {
    const old = encode(nitroVerifierAbi, "AttestationVerifier_EvidenceTooOld", 1n, 0n);
    expect(explainRevert(old).message).toContain("too old");
    const revoked = encode(certificateStoreAbi, "CertificateStore_Revoked", id, id);
    expect(explainRevert(revoked).message).toContain("is revoked");
    const debug = encode(attestationErrorsAbi, "NitroDocument_DebugMode", 0n);
    expect(explainRevert(debug).message).toBe("the enclave runs in debug mode");
    const key = encode(signingKeysAbi, "SigningKeys_KeyUnsupported");
    expect(explainRevert(key).message).toBe("SigningKeys_KeyUnsupported()");
  });

  it.each([null, undefined, "0x"])("says so where there is no reason: %j", (data) => {
    expect(explainRevert(data)).toEqual({
      name: "unknown",
      message: "reverted without a reason",
    });
  });

  it("shows what it does not know", () => {
    expect(explainRevert("0xdeadbeef").message).toBe("reverted with 0xdeadbeef");
  });

  it("says a reason and a panic as they are", () => {
    const reason = encode(["error Error(string reason)"], "Error", "not today");
    expect(explainRevert(reason)).toEqual({ name: "Error", message: "not today" });
    const panic = encode(["error Panic(uint256 code)"], "Panic", 17n);
    expect(explainRevert(panic).message).toBe("arithmetic overflow");
  });
});

/** A value that fits a type, for an error that is only to be read. */
const sample = (type: string): unknown => {
  if (type === "address") return `0x${"12".repeat(20)}`;
  if (type === "string") return "text";
  const [, bytes] = /^bytes(\d+)$/.exec(type) ?? [];
  return bytes === undefined ? 1n : `0x${"12".repeat(Number(bytes))}`;
};

describe("errors of stake, pages and payments", () => {
  const abis: InterfaceAbi[] = [
    ...[validatorStakingAbi, rewardRouterAbi, pageSettlementAbi],
    ...[inferenceEscrowAbi, channelGatesAbi, channelGateAbi],
  ];
  const all = abis.flatMap((abi) =>
    new Interface(abi).fragments.filter((fragment) => fragment.type === "error"),
  ) as ErrorFragment[];

  it.each([...new Map(all.map((error) => [error.name, error]))])(
    "%s has words of its own",
    (name, { inputs }) => {
      const abi = [`error ${name}(${inputs.map(({ type }) => type).join(",")})`];
      const found = explainRevert(encode(abi, name, ...inputs.map(({ type }) => sample(type))));
      expect(found.name).toBe(name);
      expect(found.message).not.toContain(name);
      expect(found.message).not.toMatch(/undefined|\[object|NaN/);
      expect(found.message.split("\n")).toHaveLength(1);
    },
  );

  it.each<[InterfaceAbi, string, unknown[], string]>([
    [
      ...([validatorStakingAbi, "ValidatorStaking_NoQuorum"] as const),
      [2n * 10n ** 18n, 10n ** 18n],
      "the signers have 1.0 OPG that can still be slashed, and more than 2.0 OPG are needed",
    ],
    [
      ...([validatorStakingAbi, "ValidatorStaking_AmountInvalid"] as const),
      [1n, 0n, 0n],
      "there is nothing of that",
    ],
    [
      ...([validatorStakingAbi, "ValidatorStaking_CommissionInvalid"] as const),
      [2_000n, 2_025n],
      "a commission of 20.25 % is above 20 %",
    ],
    [
      ...([validatorStakingAbi, "ValidatorStaking_KindNotOpen"] as const),
      [3],
      "nobody vouches for Optimistic pages, or answers for a signature of one",
    ],
    [
      ...([pageSettlementAbi, "PageSettlement_LeafIsBad"] as const),
      [id, 7, 4],
      "the result at place 7 is wrong: InvalidSignature",
    ],
    [
      ...([pageSettlementAbi, "PageSettlement_StateInvalid"] as const),
      [id, 3],
      `page ${id} is rejected: not possible in that state`,
    ],
    [
      ...([inferenceEscrowAbi, "InferenceEscrow_JobNotInStatus"] as const),
      [id, 3],
      `job ${id} was refunded`,
    ],
    [
      ...([inferenceEscrowAbi, "CaptureRules_KindNotAccepted"] as const),
      [0x44, 0x80],
      "the job takes TEE, TEE in a page, and this result is Optimistic in a page",
    ],
    [
      ...([channelGateAbi, "ChannelGate_KindNotAccepted"] as const),
      [0x40, 0x04],
      "the gate takes TEE in a page, and this result is TEE",
    ],
    [
      ...([inferenceEscrowAbi, "CaptureRules_PageNotFinal"] as const),
      [1],
      "the page is not final yet, but pending",
    ],
  ])("puts values where they belong, %#: $1", (abi, name, values, message) => {
    expect(explainRevert(encode(abi, name, ...values)).message).toBe(message);
  });
});

describe("revertData", () => {
  const data = encode(teeRegistryAbi, "TEERegistry_NodeUnknown", id);
  it.each<[string, unknown]>([
    ["an endpoint", { code: 3, data }],
    ["one that nests", { data: { message: "x", data } }],
    ["a library", { code: "UNKNOWN_ERROR", error: { code: 3, data } }],
    ["two of them", new Error("x", { cause: { info: { error: { data } } } })],
  ])("finds it in an error of %s", (_, error) => {
    expect(revertData(error)).toBe(data);
  });

  it.each([new Error("x"), { data: null }, { data: "0x" }, null, "text"])(
    "finds none in %j",
    (error) => {
      expect(revertData(error)).toBeUndefined();
    },
  );
});
