import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Certificate } from "../x509/parseCertificate.ts";
import { measurementOf } from "./measurementOf.ts";
import { type NitroDocument, parseDocument } from "./parseDocument.ts";
import { type DocumentError, type IsSignedBy, verifyChain } from "./verifyChain.ts";

/** SHA-256 of the DER of AWS's root for Nitro enclaves. */
export const AWS_ROOT_FINGERPRINT =
  "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

export type DocumentResult = {
  document: NitroDocument;
  /** keccak256 of PCR0 | PCR1 | PCR2 */
  pcrHash: string;
  /** certificates of the document, the root included */
  certificateCount: number;
  /** those of them that can be read, root first, up to the first that cannot */
  chain: readonly Certificate[];
  /** ids of `chain` in a certificate store under this root */
  certificateIds: readonly string[];
  /** empty if the verifier contract would accept the document at that time */
  errors: readonly DocumentError[];
};

/** Seconds after its making in which the verifier takes a document. */
export const MAXIMUM_AGE = 300n;
const MAXIMUM_CLOCK_SKEW = 60n;
const MEASURED_PCRS = [0, 1, 2] as const;

/**
 * Judges a document off-chain by the rules of `NitroAttestationVerifier` and `CertificateStore`: no error means that
 * they accept it with the right hints, in a block of that time, if none of its certificates is revoked; and an error,
 * that they refuse it. One exception: of a certificate that a store has verified before, it looks at the signed
 * part alone, whatever else the bytes around it say. Every error is found, not only the first one.
 * @param parameters.now unix seconds
 * @param parameters.rootFingerprint SHA-256 of the pinned root's DER, hex; AWS's if left out
 * @param parameters.isSignedBy whose cryptography it is: here is none, so that browsers can judge documents, too
 * @throws EvidenceError where the bytes are no document: the contracts refuse them too
 */
export function judgeDocument(parameters: {
  bytes: Uint8Array;
  now: bigint;
  rootFingerprint?: string | undefined;
  isSignedBy: IsSignedBy;
}): DocumentResult {
  const { bytes, now, rootFingerprint = AWS_ROOT_FINGERPRINT, isSignedBy } = parameters;
  const document = parseDocument(bytes);
  const errors: DocumentError[] = [];
  const report = (error: DocumentError): void => void errors.push(error);

  const pcrs = MEASURED_PCRS.map((index) => document.pcrs.get(index) ?? new Uint8Array());
  if (pcrs.some((pcr) => pcr.every((byte) => byte === 0))) {
    const message = "the enclave runs in debug mode: PCR0, PCR1 or PCR2 is zero";
    report({ code: "debugMode", name: "NitroDocument_DebugMode", message });
  }
  judgeAge(document.timestamp / 1000n, now, report);
  const ders = [...document.cabundle, document.certificate];
  const fingerprint = bytesToHex(sha256(ders[0] ?? new Uint8Array()));
  if (fingerprint !== rootFingerprint.replace(/^0x/, "").toLowerCase()) {
    const message = "its first certificate is not the pinned root";
    report({ code: "rootMismatch", name: "CertificateStore_RootMismatch", message });
  }
  const { certificates, ids } = verifyChain({ ders, now, isSignedBy, report });
  if (certificates.length === ders.length) {
    judgeSigner({ document, signer: certificates.at(-1), isSignedBy, report });
  }
  return {
    ...{ document, pcrHash: measurementOf(pcrs), certificateCount: ders.length },
    ...{ chain: certificates, certificateIds: ids, errors },
  };
}

function judgeAge(issuedAt: bigint, now: bigint, report: (error: DocumentError) => void): void {
  if (issuedAt + MAXIMUM_AGE < now) {
    const message = `it is older than ${MAXIMUM_AGE} seconds`;
    report({ code: "tooOld", name: "AttestationVerifier_EvidenceTooOld", message });
  }
  if (issuedAt > now + MAXIMUM_CLOCK_SKEW) {
    const message = `it is more than ${MAXIMUM_CLOCK_SKEW} seconds ahead of this time`;
    report({ code: "fromFuture", name: "AttestationVerifier_EvidenceFromFuture", message });
  }
}

function judgeSigner(parameters: {
  document: NitroDocument;
  signer: Certificate | undefined;
  isSignedBy: IsSignedBy;
  report: (error: DocumentError) => void;
}): void {
  const { document, signer, isSignedBy, report } = parameters;
  if (signer === undefined) return;
  if (signer.isAuthority) {
    const message = "the key that signs documents is an authority's";
    report({ code: "signatureInvalid", name: "AttestationVerifier_SignerRefused", message });
  }
  const { signedMessage: message, signature } = document;
  if (!isSignedBy({ publicKey: signer.publicKey, message, signature })) {
    report({
      code: "signatureInvalid",
      name: "EcdsaP384",
      message: "the document's own signature is wrong",
    });
  }
}
