/** `npm run tee -- verify <document.bin>`: explains an attestation document in words. */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { AWS_ROOT_FINGERPRINT, verifyDocument } from "@haca/attestation/document/verifyDocument";
import { BaseError } from "@haca/protocol/baseError";
import { reportFailure } from "../lib/reportFailure.ts";
import { explainDocument } from "./explainDocument.ts";

const HELP = `Explains a raw AWS Nitro attestation document: measurements, times, certificates, verdict.
Exits with 1 if it is refused.

usage: npm run tee -- verify <document.bin> [--at <time>] [--root <SHA-256 of the root's DER>]

  --at    time at which it is judged, as 2026-02-12T17:56:02Z or "document" (default: now)
  --root  the pinned root (default: AWS's, ${AWS_ROOT_FINGERPRINT.slice(0, 8)}…)`;

function fail(message: string): never {
  throw new BaseError({ code: "tee.badOption", message });
}

function timeOf(option: string | undefined, made: bigint): bigint {
  if (option === undefined) return BigInt(Math.floor(Date.now() / 1000));
  if (option === "document") return made;
  const milliseconds = Date.parse(option);
  if (Number.isNaN(milliseconds))
    fail(`--at must be a time like 2026-02-12T17:56:02Z, got ${option}`);
  return BigInt(Math.floor(milliseconds / 1000));
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: {
      at: { type: "string" },
      root: { type: "string", default: AWS_ROOT_FINGERPRINT },
      help: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const [command, path] = positionals;
  if (command !== "verify" || path === undefined)
    fail(`usage: npm run tee -- verify <document.bin>`);
  if (!existsSync(path)) fail(`no file ${path}`);
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(values.root))
    fail(`--root must be 32 bytes of hex, got ${values.root}`);
  const bytes = new Uint8Array(readFileSync(path));
  const made = verifyDocument({ bytes, now: 0n }).document.timestamp / 1000n;
  const now = timeOf(values.at, made);
  const verdict = verifyDocument({ bytes, now, rootFingerprint: values.root });
  console.log(explainDocument({ verdict, now }));
  if (verdict.faults.length > 0) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  reportFailure(error);
}
