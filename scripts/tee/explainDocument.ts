import type { EvidenceResult } from "@haca/attestation/vendor";
import { isoTime, printable } from "../lib/words.ts";

const LABEL_WIDTH = 13;

/** Evidence in words: when it was made, what it says, who vouches for it, and the result. */
export function explainDocument(parameters: { result: EvidenceResult; now: bigint }): string {
  const { result, now } = parameters;
  const { issuedAt, fields, certificates, certificateCount, errors } = result;
  const unread = certificateCount - certificates.length;
  const lines = [
    ...[["made", isoTime(issuedAt)] as const, ["judged at", isoTime(now)] as const, ...fields].map(
      ([name, value]) => `${printable(name).padEnd(LABEL_WIDTH)}${printable(value)}`,
    ),
    "certificates",
    ...certificates.map(
      ({ subject, id, notBefore, notAfter }) =>
        `  ${printable(subject)}\n    ${isoTime(notBefore)} to ${isoTime(notAfter)}\n    id ${id}`,
    ),
    ...(unread > 0 ? [`  ${unread} more, which cannot be read`] : []),
    "",
    errors.length === 0 ? "result       valid" : "result       refused:",
    ...errors.map(({ message }) => `  - ${message}`),
  ];
  return lines.join("\n");
}
