import type { DocumentVerdict } from "@haca/attestation/nitro/verifyDocument";
import { commonNameOf } from "@haca/attestation/x509/commonNameOf";
import { hexlify } from "ethers";
import { isoTime, printable } from "../lib/words.ts";

/** A document in words: what it measures, when it was made, who vouches for it, and the result. */
export function explainDocument(parameters: { result: DocumentVerdict; now: bigint }): string {
  const { result, now } = parameters;
  const { document, pcrHash, chain, certificateIds, certificateCount, faults } = result;
  const field = (bytes: Uint8Array | null) =>
    bytes === null ? "none" : `${bytes.length} bytes  ${hexlify(bytes.subarray(0, 68))}`;
  const lines = [
    `module       ${printable(document.moduleId)}`,
    `made         ${isoTime(document.timestamp / 1000n)}`,
    `judged at    ${isoTime(now)}`,
    ...[0, 1, 2].map((i) => `PCR${i}         ${hexlify(document.pcrs.get(i) ?? "0x")}`),
    `pcrHash      ${pcrHash}`,
    `public_key   ${field(document.publicKey)}`,
    `user_data    ${field(document.userData)}`,
    `nonce        ${field(document.nonce)}`,
    "certificates",
    ...chain.map(
      ({ subject, notBefore, notAfter }, i) =>
        `  ${printable(commonNameOf(subject))}\n    ${isoTime(notBefore)} to ${isoTime(notAfter)}\n` +
        `    id ${certificateIds[i]}`,
    ),
    ...(chain.length < certificateCount
      ? [`  ${certificateCount - chain.length} more, which cannot be read`]
      : []),
    "",
    faults.length === 0 ? "result       valid" : "result       refused:",
    ...faults.map(({ message }) => `  - ${message}`),
  ];
  return lines.join("\n");
}
