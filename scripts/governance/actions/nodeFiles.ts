import { createPublicKey, X509Certificate } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { endpointOption } from "../../tee/options.ts";
import { decodeDocument } from "../../tee/readDocument.ts";
import { readFileOf } from "./rootFile.ts";
import { refuse } from "./teeRegistry.ts";

/** What a registrar hands over, from files. */

/** Most bytes of a TLS certificate that the registry takes. */
const MAXIMUM_CERTIFICATE = 4_096;
const PEM_KEY = /-----BEGIN PUBLIC KEY-----([\s\S]*)-----END PUBLIC KEY-----/;

/** An attestation document: raw, or as base64 or hex text. Error: `governance.badArgument`. */
export const readDocumentFile = (path: string): Uint8Array =>
  new Uint8Array(decodeDocument(readFileOf(path)));

/**
 * A public key in DER: from a file with that, with PEM, or with a gateway's answer, whose `public_key` is PEM. The bytes
 * stay as they are, because the document vouches for bytes. Error: `governance.badArgument`.
 */
export function readKeyFile(path: string): Uint8Array {
  const bytes = readFileOf(path);
  try {
    const text = bytes.toString("latin1").trim();
    const pem = text.startsWith("{") ? String(JSON.parse(text).public_key) : text;
    const body = PEM_KEY.exec(pem)?.[1];
    const key = body === undefined ? bytes : Buffer.from(body, "base64");
    createPublicKey({ key, format: "der", type: "spki" });
    return new Uint8Array(key);
  } catch {
    throw refuse(`${path} is no public key in PEM or DER`);
  }
}

/** A certificate in PEM or DER, as DER. Error: `governance.badArgument`. */
export function readTlsFile(path: string): Uint8Array {
  const bytes = readFileOf(path);
  let certificate: Uint8Array;
  try {
    certificate = new Uint8Array(new X509Certificate(bytes).raw);
  } catch {
    throw refuse(`${path} is no certificate in PEM or DER`);
  }
  if (certificate.length <= MAXIMUM_CERTIFICATE) return certificate;
  throw refuse(`${path} has ${certificate.length} bytes, ${MAXIMUM_CERTIFICATE} at most`);
}

/** Where clients reach the node, as the registry and they want it. Error: `governance.badArgument`. */
export function readEndpoint(text: string): string {
  try {
    return endpointOption(text);
  } catch (error) {
    throw refuse(error instanceof BaseError ? error.message.replace("--", "") : String(error));
  }
}
