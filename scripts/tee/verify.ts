import { AWS_ROOT_FINGERPRINT, verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { explainDocument } from "./explainDocument.ts";
import { badOption } from "./options.ts";
import { readDocument } from "./readDocument.ts";

/** Prints a document from a file in words; exit status 1 if it is refused. */
export function verify(path: string, options: { at?: string; root?: string }): void {
  const { at, root = AWS_ROOT_FINGERPRINT } = options;
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(root)) {
    throw badOption(`--root must be 32 bytes of hex, got ${root}`);
  }
  const bytes = readDocument(path);
  const made = verifyDocument({ bytes, now: 0n }).document.timestamp / 1000n;
  const now = timeOf(at, made);
  const result = verifyDocument({ bytes, now, rootFingerprint: root });
  console.log(explainDocument({ result, now }));
  if (result.faults.length > 0) process.exitCode = 1;
}

function timeOf(option: string | undefined, made: bigint): bigint {
  if (option === undefined) return BigInt(Math.floor(Date.now() / 1000));
  if (option === "document") return made;
  const milliseconds = Date.parse(option);
  if (Number.isNaN(milliseconds)) {
    throw badOption(`--at must be a time like 2026-02-12T17:56:02Z, got ${option}`);
  }
  return BigInt(Math.floor(milliseconds / 1000));
}
