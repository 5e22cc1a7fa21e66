import { explainDocument } from "./explainDocument.ts";
import { badOption, vendorOption } from "./options.ts";
import { readDocument } from "./readDocument.ts";

/** Prints a vendor's evidence from a file in words; exit status 1 if it is refused. */
export function verify(
  path: string,
  options: { vendor: string; at?: string; root?: string },
): void {
  const { at, root: rootFingerprint } = options;
  const vendor = vendorOption(options.vendor);
  if (rootFingerprint !== undefined && !/^(0x)?[0-9a-fA-F]{64}$/.test(rootFingerprint)) {
    throw badOption(`--root must be 32 bytes of hex, got ${rootFingerprint}`);
  }
  const evidence = readDocument(path);
  const { issuedAt } = vendor.judge({ evidence, now: 0n });
  const now = timeOf(at, issuedAt);
  const result = vendor.judge({
    ...{ evidence, now },
    ...(rootFingerprint === undefined ? {} : { rootFingerprint }),
  });
  console.log(explainDocument({ result, now }));
  if (result.errors.length > 0) process.exitCode = 1;
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
