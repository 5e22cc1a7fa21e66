import { constants, generateKeyPairSync, verify } from "node:crypto";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { getBytes, id } from "ethers";
import { expect } from "vitest";
import { openResultSigner } from "../../src/profile/resultSigner.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** As the profile legacy wants it: with an attested RSA key of its own. */
export const LEGACY_SIGNER = openResultSigner({
  attestedKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});

/** Fields by which the public network's clients verify an answer. */
export type LegacySignature = {
  tee_id: string;
  tee_request_hash: string;
  tee_output_hash: string;
  tee_signature: string;
  tee_timestamp: number;
};

/** Whether the bed's RSA key has signed 32 bytes. */
export function isSignedByRsa(digest: string, signature: Uint8Array): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32, key: publicKey };
  return verify("sha256", getBytes(digest), pss, signature);
}

/** As the public network's clients verify it, who have request, answer and the attested key. */
export function expectLegacySigned(
  answer: LegacySignature,
  parameters: { request: string; output: string },
): void {
  expect(answer.tee_request_hash).toBe(id(parameters.request).slice(2));
  expect(answer.tee_output_hash).toBe(id(parameters.output).slice(2));
  expect(answer.tee_id).toBe(LEGACY_SIGNER.teeId);
  const message = legacyMessageHash({
    inputHash: `0x${answer.tee_request_hash}`,
    outputHash: `0x${answer.tee_output_hash}`,
    timestamp: BigInt(answer.tee_timestamp),
  });
  expect(isSignedByRsa(message, Buffer.from(answer.tee_signature, "base64"))).toBe(true);
}
