import { isEqual } from "../bytes.ts";
import { EvidenceError } from "../EvidenceError.ts";
import type { ExpectedError } from "../vendor.ts";
import {
  CERTIFICATE_SIGN,
  type Certificate,
  certificateIds,
  DIGITAL_SIGNATURE,
  NO_PATH_LENGTH,
  parseCertificate,
  toRawSignature,
} from "../x509/parseCertificate.ts";

/** What is wrong with a document. */
export type DocumentError = ExpectedError & {
  code:
    | "rootMismatch"
    | "certificateMalformed"
    | "chainInvalid"
    | "signatureInvalid"
    | "certificateNotValidNow"
    | "debugMode"
    | "tooOld"
    | "fromFuture";
};

/** Takes an error, in the order in which the contracts look. */
type Report = (error: DocumentError) => void;

/** A message with a signature over it: key x | y, signature r | s. */
export type P384Signed = { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array };

/** Whether the key signed the message with SHA-384; false too for a key that is no point of the curve. */
export type IsSignedBy = (signed: P384Signed) => boolean;

/** A document's certificates, root first. What stands behind the first that cannot be read is left out. */
export type ChainResult = { certificates: readonly Certificate[]; ids: readonly string[] };

/**
 * Judges a chain as `CertificateStore.verifyChain` does for certificates that it has not stored: form, names, path
 * length, key usage, signatures, and validity at `now`. Revocations are the store's, and are not looked at. Errors go
 * to `report`, in the order in which the contract looks.
 */
export function verifyChain(parameters: {
  ders: readonly Uint8Array[];
  now: bigint;
  isSignedBy: IsSignedBy;
  report: Report;
}): ChainResult {
  const { ders, now, isSignedBy, report } = parameters;
  const read = ders.map((der, i) => readOr(report, i, () => parseCertificate(der)));
  const unread = read.indexOf(undefined);
  const certificates = read.slice(0, unread < 0 ? undefined : unread) as Certificate[];
  // The root is judged when a store is deployed with it; its own signature is not checked, because it is pinned.
  let pathLength = NO_PATH_LENGTH;
  for (const [i, certificate] of certificates.entries()) {
    const parent = certificates[i - 1];
    if (parent !== undefined) {
      judgeLink({ certificate, parent, pathLength, index: i, isSignedBy, report });
      if (pathLength !== NO_PATH_LENGTH) {
        pathLength = Math.min(Math.max(pathLength - 1, 0), certificate.pathLength);
      } else {
        pathLength = certificate.pathLength;
      }
    } else {
      if (!certificate.isAuthority) report(errorOf(i, "RootInvalid", "the root is no authority"));
      judgeKeyUsage(certificate, i, report);
      pathLength = certificate.pathLength;
    }
  }
  judgeValidity(certificates, now, report);
  return { certificates, ids: certificateIds(ders.slice(0, certificates.length)) };
}

const errorOf = (index: number, name: string, text: string): DocumentError => ({
  code: name === "Expired" || name === "NotYetValid" ? "certificateNotValidNow" : "chainInvalid",
  name: `CertificateStore_${name}`,
  message: `certificate ${index}: ${text}`,
});

function readOr<T>(report: Report, index: number, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    const message = `certificate ${index}: ${error.message}`;
    report({ code: "certificateMalformed", name: error.error, message });
    return undefined;
  }
}

function judgeLink(parameters: {
  certificate: Certificate;
  parent: Certificate;
  /** of the parent, and of what is above it */
  pathLength: number;
  index: number;
  isSignedBy: IsSignedBy;
  report: Report;
}): void {
  const { certificate, parent, pathLength, index, isSignedBy, report } = parameters;
  if (!isEqual(certificate.issuer, parent.subject)) {
    report(errorOf(index, "IssuerMismatch", "its issuer is not the subject of the one before it"));
  }
  if (!parent.isAuthority) {
    report(errorOf(index, "PathRefused", "the one before it may not sign certificates"));
  } else if (certificate.isAuthority && pathLength === 0) {
    report(errorOf(index, "PathRefused", "the path length of those before it is used up"));
  }
  judgeKeyUsage(certificate, index, report);
  const signature = readOr(report, index, () => toRawSignature(certificate.signature));
  if (signature === undefined) return;
  const { publicKey } = parent;
  if (!isSignedBy({ publicKey, message: certificate.tbs, signature })) {
    const message = `certificate ${index}: it is not signed by the one before it`;
    report({ code: "chainInvalid", name: "EcdsaP384", message });
  }
}

function judgeKeyUsage(certificate: Certificate, index: number, report: Report): void {
  const { isAuthority, keyUsage } = certificate;
  const isSigner = (keyUsage & CERTIFICATE_SIGN) !== 0;
  const isRight = isAuthority ? isSigner : (keyUsage & DIGITAL_SIGNATURE) !== 0 && !isSigner;
  if (isRight) return;
  const text = isAuthority
    ? "an authority whose key usage lacks keyCertSign"
    : "no authority, and its key usage lacks digitalSignature or has keyCertSign";
  report(errorOf(index, "KeyUsageInvalid", text));
}

function judgeValidity(certificates: readonly Certificate[], now: bigint, report: Report): void {
  const early = certificates.findIndex(({ notBefore }) => now < notBefore);
  if (early >= 0) report(errorOf(early, "NotYetValid", "it is not valid yet at this time"));
  const late = certificates.findIndex(({ notAfter }) => now > notAfter);
  if (late >= 0) report(errorOf(late, "Expired", "it is not valid any more at this time"));
}
