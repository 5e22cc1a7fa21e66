import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { nitro } from "@haca/attestation/nitro/nitro";
import { userPath } from "@haca/protocol/userPath";
import { hexlify } from "ethers";
import { printable } from "../../lib/words.ts";
import { refuse } from "./teeRegistry.ts";

export type Root = {
  /** hex */
  der: string;
  /** SHA-256 of the DER, 0x and 64 hex digits */
  fingerprint: string;
  words: string;
};

export const isAwsRoot = (fingerprint: string): boolean => fingerprint === nitro.root.fingerprint;

export const nameRoot = (fingerprint: string): string =>
  `${isAwsRoot(fingerprint) ? "AWS's" : "not AWS's known one"} (SHA-256 ${fingerprint})`;

/** The bytes of a file that the command line names. Error: `governance.badArgument`. */
export function readFileOf(path: string): Buffer {
  try {
    return readFileSync(userPath(path));
  } catch {
    throw refuse(`no file ${path}`);
  }
}

/** The name that a certificate is for, on one line. */
export const subjectOf = (der: Buffer): string =>
  new X509Certificate(der).subject.replaceAll("\n", ", ");

/** A root certificate from a file. Error: `governance.badArgument`. */
export function readRootFile(path: string): Root {
  const der = readFileOf(path);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw refuse(`${path} is no certificate`);
  }
  if (!certificate.raw.equals(der)) {
    throw refuse(`${path} is not DER, or has more in it than one certificate`);
  }
  const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  if (!certificate.ca || curve !== "secp384r1") {
    throw refuse(`${path} is no authority with a key on P-384`);
  }
  const fingerprint = `0x${createHash("sha256").update(der).digest("hex")}`;
  const words = `${nameRoot(fingerprint)}, ${printable(subjectOf(der))}, valid to ${certificate.validTo}`;
  return { der: hexlify(der), fingerprint, words };
}
