import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { p384Spki } from "../x509/parseCertificate.ts";
import type { P384Signed } from "./verifyChain.ts";

/** Whether P-384 key (x | y) signed the message; false too for a key that is no point of the curve. By Node's cryptography. */
export function isSignedBy({ publicKey, message, signature }: P384Signed): boolean {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(p384Spki(publicKey)), format: "der", type: "spki" });
  } catch {
    return false;
  }
  return verify("sha384", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}
