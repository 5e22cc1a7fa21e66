import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import type { DocumentResult } from "@haca/attestation/nitro/judgeDocument";
import { verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { fetchDocument, fetchSigningKey } from "@haca/worker/roles/heartbeat/enclaveClient";
import { hexlify, keccak256, type Provider, sha256 } from "ethers";
import { nextBlockTime } from "../../lib/chainSession.ts";
import { FrontError } from "./frontError.ts";

export type SoundDocument = {
  document: Uint8Array;
  result: DocumentResult;
  /** of the enclave's signing key */
  teeId: string;
  /** whether the enclave puts what anybody asks into its documents as it is */
  hasNonceAsAsked: boolean;
};

/**
 * An enclave's document for a nonce, and nothing that the verifier would refuse for what can be seen here: that costs no gas.
 * @param parameters.nonce 20 bytes, 0x and hex
 * @throws FrontError `front.refused` with every reason; EnclaveError
 */
export async function soundDocument(parameters: {
  /** of the root that the deployment pins */
  rootFingerprint: string;
  provider: Provider;
  enclave: string;
  nonce: string;
}): Promise<SoundDocument> {
  const { rootFingerprint, provider, enclave: url, nonce } = parameters;
  const signingKey = await fetchSigningKey({ url });
  const document = await fetchDocument({ url, nonce });
  const now = await nextBlockTime(provider);
  const result = verifyDocument({ bytes: document, now, rootFingerprint });
  const reasons = result.errors.map(({ message }) => message);
  const actual = hexlify(result.document.nonce ?? "0x");
  const hasNonceAsAsked = actual === nonce;
  if (!hasNonceAsAsked && actual !== clientNonce(nonce)) reasons.push("it is for another nonce");
  const keys = hexlify(result.document.userData ?? "0x");
  if (!keys.endsWith(sha256(signingKey).slice(2))) {
    reasons.push("it vouches for another signing key than the enclave shows");
  }
  if (reasons.length === 0) {
    return { document, result, teeId: keccak256(signingKey), hasNonceAsAsked };
  }
  throw new FrontError({
    ...{ status: 502, code: "front.refused" },
    message: `the verifier would refuse the enclave's document: ${reasons.join("; ")}`,
  });
}
