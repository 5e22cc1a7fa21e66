import type { P384Signed } from "@haca/attestation/nitro/verifyChain";
import { toHex } from "../bytes.ts";
import { isSignedByP384 } from "../signatures.ts";

/** Certificates of a few enclaves: one document has four or five. */
const MAXIMUM_KNOWN = 64;
/** How certificates begin, and no document's signed part does. */
const DER_SEQUENCE = 0x30;

/** By their signatures, what was found signed: whether a key has signed some bytes is so for ever. */
const known = new Map<string, Pick<P384Signed, "publicKey" | "message">>();

/** As `isSignedByP384`; of certificates, which come with each document of an enclave, those that held are not looked at again. */
export async function isSigned(parts: P384Signed): Promise<boolean> {
  const { message, publicKey, signature } = parts;
  if (message[0] !== DER_SEQUENCE) return await isSignedByP384(parts);
  const name = toHex(signature);
  const before = known.get(name);
  if (before && isSame(before.message, message) && isSame(before.publicKey, publicKey)) return true;
  if (!(await isSignedByP384(parts))) return false;
  const [oldest] = known.keys();
  if (known.size >= MAXIMUM_KNOWN) known.delete(oldest ?? "");
  // Of its own: nobody else writes into it.
  known.set(name, { message: message.slice(), publicKey: publicKey.slice() });
  return true;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
