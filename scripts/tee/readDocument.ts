import { readFileSync, statSync } from "node:fs";
import { userPath } from "@haca/protocol/userPath";
import { badOption } from "./options.ts";

/** Far above any document, far below what would fill the memory. */
const MAXIMUM_FILE = 1_048_576;

/**
 * An attestation document from a file: raw, or as base64 or hex text, as gateways and people pass it on.
 * Error: `tee.badOption`, where there is no such file.
 */
export function readDocument(path: string): Uint8Array {
  const file = userPath(path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw badOption(`no file ${path}`);
  if (!stat.isFile()) throw badOption(`${path} is no file`);
  if (stat.size === 0 || stat.size > MAXIMUM_FILE) {
    throw badOption(`${path} has ${stat.size} bytes: no attestation document has that`);
  }
  return decodeDocument(readFileSync(file));
}

/** Raw bytes of a document that may be text. */
export function decodeDocument(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1").replaceAll(/\s/g, "");
  if (/^(0x)?([0-9a-fA-F]{2})+$/.test(text)) {
    return new Uint8Array(Buffer.from(text.replace(/^0x/, ""), "hex"));
  }
  if (/^[A-Za-z0-9+/_-]+=*$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"));
  return bytes;
}
