import { hexlify } from "ethers";
import type { AttestationVendor, EvidenceResult } from "../vendor.ts";
import { commonNameOf } from "../x509/commonNameOf.ts";
import { carriedBinding } from "./bindingNonce.ts";
import { documentHints } from "./documentHints.ts";
import { AWS_ROOT_FINGERPRINT } from "./judgeDocument.ts";
import { measurementOf, PCR_LENGTH } from "./measurementOf.ts";
import { mismatches } from "./mismatches.ts";
import { parseDocument } from "./parseDocument.ts";
import { verifyDocument } from "./verifyDocument.ts";

const MEASURED_PCRS = [0, 1, 2] as const;
/** Of a field that a person is shown: enough for user data as gateways make it. */
const SHOWN_BYTES = 68;

/** AWS Nitro enclaves: evidence is an attestation document. */
export const nitro: AttestationVendor = {
  root: { owner: "AWS", fingerprint: `0x${AWS_ROOT_FINGERPRINT}` },
  measurementParts: MEASURED_PCRS.map((index) => ({ name: `pcr${index}`, length: PCR_LENGTH })),
  measurementOf,
  challengeOf: carriedBinding,
  judge,
  mismatches: ({ evidence, subject }) => mismatches(parseDocument(evidence), subject),
  chainOf(evidence) {
    const { cabundle, certificate } = parseDocument(evidence);
    return [...cabundle, certificate];
  },
  hintsOf: ({ evidence, ...rest }) => documentHints({ document: evidence, ...rest }),
};

function judge(parameters: {
  evidence: Uint8Array;
  now: bigint;
  rootFingerprint?: string;
}): EvidenceResult {
  const { evidence, ...rest } = parameters;
  const result = verifyDocument({ bytes: evidence, ...rest });
  const { document, pcrHash, chain, certificateIds, certificateCount, errors } = result;
  const field = (bytes: Uint8Array | null) =>
    bytes === null ? "none" : `${bytes.length} bytes  ${hexlify(bytes.subarray(0, SHOWN_BYTES))}`;
  return {
    measurement: pcrHash,
    issuedAt: document.timestamp / 1000n,
    fields: [
      ["module", document.moduleId],
      ...MEASURED_PCRS.map(
        (index) => [`PCR${index}`, hexlify(document.pcrs.get(index) ?? "0x")] as const,
      ),
      ["pcrHash", pcrHash],
      ["public_key", field(document.publicKey)],
      ["user_data", field(document.userData)],
      ["nonce", field(document.nonce)],
    ],
    certificates: chain.map(({ subject, notBefore, notAfter }, index) => ({
      subject: commonNameOf(subject),
      id: certificateIds[index] ?? "",
      ...{ notBefore, notAfter },
    })),
    ...{ certificateCount, errors },
  };
}
