import { Interface, type InterfaceAbi } from "ethers";
import { describe, expect, it } from "vitest";
import {
  attestationErrorsAbi,
  certificateStoreAbi,
  nitroVerifierAbi,
  signingKeysAbi,
  teeRegistryAbi,
} from "../generated/abi.ts";
import { explainTeeRevert } from "../src/explainTeeRevert.ts";

const id = `0x${"12".repeat(32)}`;
const encode = (abi: InterfaceAbi, name: string, ...values: unknown[]): string =>
  new Interface(abi).encodeErrorResult(name, values);

describe("explainTeeRevert", () => {
  it.each<[string, unknown[], string]>([
    ["TEERegistry_NodeUnknown", [id], `the registry has no node ${id}`],
    ["TEERegistry_StatusInvalid", [id, 4], `node ${id} is banned: not possible in that state`],
    [
      "TEERegistry_AdmissionPaused",
      [1_900_000_000n],
      "admissions of new nodes are paused until 2030-03-17T17:46:40Z",
    ],
    [
      "TEERegistry_HeartbeatNotNewer",
      [1_900_000_001n, 1_900_000_000n],
      "a heartbeat of 2030-03-17T17:46:41Z is recorded already, this one is of 2030-03-17T17:46:40Z",
    ],
    // An error without a sentence of its own keeps its name and arguments.
    ["TEERegistry_CounterNotNewer", [5n, 4n], "TEERegistry_CounterNotNewer(last: 5, actual: 4)"],
  ])("puts %s into words", (name, values, message) => {
    expect(explainTeeRevert(encode(teeRegistryAbi, name, ...values))).toEqual({ name, message });
  });

  it("knows the errors of verifier and certificate store", () => {
    const old = encode(nitroVerifierAbi, "AttestationVerifier_EvidenceTooOld", 1n, 0n);
    expect(explainTeeRevert(old).message).toContain("too old");
    const revoked = encode(certificateStoreAbi, "CertificateStore_Revoked", id, id);
    expect(explainTeeRevert(revoked).message).toContain("is revoked");
    const debug = encode(attestationErrorsAbi, "NitroDocument_DebugMode", 0n);
    expect(explainTeeRevert(debug).message).toBe("the enclave runs in debug mode");
    const key = encode(signingKeysAbi, "SigningKeys_KeyUnsupported");
    expect(explainTeeRevert(key).message).toBe("SigningKeys_KeyUnsupported()");
  });

  it.each([null, undefined, "0x"])("says so where there is no reason: %j", (data) => {
    expect(explainTeeRevert(data)).toEqual({
      name: "unknown",
      message: "reverted without a reason",
    });
  });

  it("shows what it does not know", () => {
    expect(explainTeeRevert("0xdeadbeef").message).toBe("reverted with 0xdeadbeef");
  });
});
