import type { DocumentFault, DocumentVerdict } from "@haca/attestation/document/verifyDocument";
import { hexlify } from "ethers";
import { printable } from "../lib/printable.ts";

const FAULTS: Readonly<Record<DocumentFault, string>> = {
  rootMismatch: "its first certificate is not the pinned root",
  chainInvalid:
    "a certificate is not signed by the one before it, or that one may not sign certificates",
  signatureInvalid: "the document's own signature is wrong",
  certificateNotValidNow: "a certificate is not valid at this time",
  debugMode: "the enclave runs in debug mode: PCR0, PCR1 or PCR2 is zero",
  tooOld: "it is older than 300 seconds",
  fromFuture: "it is more than 60 seconds ahead of this time",
};

/** A fault in words. */
export const describeFault = (fault: DocumentFault): string => FAULTS[fault];

/** A document in words: what it measures, when it was made, who vouches for it, and the verdict. */
export function explainDocument(parameters: { verdict: DocumentVerdict; now: bigint }): string {
  const { verdict, now } = parameters;
  const { document, pcrHash, chain, faults } = verdict;
  const field = (bytes: Uint8Array | null) =>
    bytes === null ? "none" : `${bytes.length} bytes  ${hexlify(bytes.subarray(0, 68))}`;
  const lines = [
    `module       ${printable(document.moduleId)}`,
    `made         ${iso(document.timestamp / 1000n)}`,
    `judged at    ${iso(now)}`,
    ...[0, 1, 2].map((i) => `PCR${i}         ${hexlify(document.pcrs.get(i) ?? "0x")}`),
    `pcrHash      ${pcrHash}`,
    `public_key   ${field(document.publicKey)}`,
    `user_data    ${field(document.userData)}`,
    `nonce        ${field(document.nonce)}`,
    "certificates",
    ...chain.map(
      ({ subject, validFrom, validTo }) =>
        `  ${commonName(subject)}\n    ${iso(seconds(validFrom))} to ${iso(seconds(validTo))}`,
    ),
    "",
    faults.length === 0 ? "verdict      valid" : "verdict      refused:",
    ...faults.map((fault) => `  - ${FAULTS[fault]}`),
  ];
  return lines.join("\n");
}

const iso = (unixSeconds: bigint) =>
  new Date(Number(unixSeconds) * 1000).toISOString().replace(".000Z", "Z");

const seconds = (text: string) => BigInt(Date.parse(text)) / 1000n;

const commonName = (subject: string) =>
  printable(/CN=(.*)/.exec(subject)?.[1] ?? subject.replaceAll("\n", ", "));
