import { createHash, verify, X509Certificate } from "node:crypto";
import { concat, keccak256 } from "ethers";
import { type NitroDocument, parseDocument } from "./parseDocument.ts";

/** SHA-256 of the DER of AWS's root for Nitro enclaves. */
export const AWS_ROOT_FINGERPRINT =
  "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

/** Why a document is refused; stable, for programs. */
export type DocumentFault =
  | "rootMismatch"
  | "chainInvalid"
  | "signatureInvalid"
  | "certificateNotValidNow"
  | "debugMode"
  | "tooOld"
  | "fromFuture";

export type DocumentVerdict = {
  document: NitroDocument;
  /** keccak256 of PCR0 | PCR1 | PCR2 */
  pcrHash: string;
  chain: readonly X509Certificate[];
  /** empty if the verifier contract would accept the document at that time */
  faults: readonly DocumentFault[];
};

const MAXIMUM_AGE = 300n;
const MAXIMUM_CLOCK_SKEW = 60n;
const MEASURED_PCRS = [0, 1, 2] as const;

/**
 * Judges a document off-chain, with Node's cryptography instead of the contracts': every fault is found, not only the
 * first one. Revocations are the certificate store's and are not looked at.
 * @param parameters.now unix seconds
 * @param parameters.rootFingerprint SHA-256 of the pinned root's DER, hex; AWS's if left out
 * @throws BaseError where the bytes are no document
 */
export function verifyDocument(parameters: {
  bytes: Uint8Array;
  now: bigint;
  rootFingerprint?: string;
}): DocumentVerdict {
  const { bytes, now, rootFingerprint = AWS_ROOT_FINGERPRINT } = parameters;
  const document = parseDocument(bytes);
  const ders = [...document.cabundle, document.certificate];
  const chain = ders.map((der) => new X509Certificate(der));
  const pcrs = MEASURED_PCRS.map((index) => document.pcrs.get(index) ?? new Uint8Array());
  const issuedAt = document.timestamp / 1000n;
  const fingerprint = createHash("sha256")
    .update(ders[0] ?? "")
    .digest("hex");

  const found: Record<DocumentFault, boolean> = {
    rootMismatch: fingerprint !== rootFingerprint.replace(/^0x/, "").toLowerCase(),
    chainInvalid: !isChain(chain),
    signatureInvalid: !isSigned(document, chain.at(-1)),
    certificateNotValidNow: chain.some((certificate) => !isValidAt(certificate, now)),
    debugMode: pcrs.some((pcr) => pcr.every((byte) => byte === 0)),
    tooOld: issuedAt + MAXIMUM_AGE < now,
    fromFuture: issuedAt > now + MAXIMUM_CLOCK_SKEW,
  };
  const faults = Object.entries(found).flatMap(([fault, isThere]) => (isThere ? [fault] : []));
  return { document, pcrHash: keccak256(concat(pcrs)), chain, faults: faults as DocumentFault[] };
}

function isChain(chain: readonly X509Certificate[]): boolean {
  return chain.slice(1).every((certificate, i) => {
    const parent = chain[i];
    return (
      parent?.ca === true && certificate.checkIssued(parent) && certificate.verify(parent.publicKey)
    );
  });
}

function isSigned(document: NitroDocument, signer: X509Certificate | undefined): boolean {
  if (signer === undefined || signer.ca) return false;
  const key = { key: signer.publicKey, dsaEncoding: "ieee-p1363" } as const;
  return verify("sha384", document.signedMessage, key, document.signature);
}

function isValidAt(certificate: X509Certificate, now: bigint): boolean {
  const seconds = (text: string) => BigInt(Date.parse(text)) / 1000n;
  return seconds(certificate.validFrom) <= now && now <= seconds(certificate.validTo);
}
