import { BaseError } from "@haca/protocol/baseError";
import { type CborValue, decodeCbor } from "./decodeCbor.ts";

/** An AWS Nitro attestation document, read but not verified. */
export type NitroDocument = {
  moduleId: string;
  /** unix milliseconds */
  timestamp: bigint;
  /** measurements by index, 48 bytes each */
  pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER of the certificate whose key signed the document */
  certificate: Uint8Array;
  /** DER of the authorities' certificates, root first */
  cabundle: readonly Uint8Array[];
  publicKey: Uint8Array | null;
  userData: Uint8Array | null;
  nonce: Uint8Array | null;
  /** what the signature covers, not hashed */
  signedMessage: Uint8Array;
  /** r | s */
  signature: Uint8Array;
};

const COSE_SIGN1_TAG = 0xd2;
/** Array of four, protected header { alg: ES384 }, empty unprotected header. */
const HEADER = Uint8Array.of(0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0);
/** Sig_structure of RFC 9052 up to the payload. */
const SIGNATURE_CONTEXT = Uint8Array.of(
  0x84,
  0x6a,
  ...new TextEncoder().encode("Signature1"),
  ...[0x44, 0xa1, 0x01, 0x38, 0x22],
  0x40,
);
const PCR_LENGTH = 48;
const SIGNATURE_LENGTH = 96;
const MAXIMUM_FIELD_LENGTH = 1024;

function fail(field: string, reason: string): never {
  throw new BaseError({
    code: "document.invalid",
    message: `attestation document: ${field}: ${reason}`,
    details: { field },
  });
}

/**
 * Reads a raw attestation document (COSE_Sign1 of RFC 9052). Accepts what `contracts/attestation/NitroDocument.sol`
 * accepts, and documents of enclaves in debug mode too.
 * @throws BaseError `document.invalid` with the field, or `cbor.malformed`
 */
export function parseDocument(bytes: Uint8Array): NitroDocument {
  const start = bytes[0] === COSE_SIGN1_TAG ? 1 : 0;
  const header = bytes.subarray(start, start + HEADER.length);
  if (header.length !== HEADER.length || header.some((byte, i) => byte !== HEADER[i])) {
    fail("header", "not a COSE_Sign1 with ES384 and nothing else");
  }
  const payloadStart = start + HEADER.length;
  const { value: payload, end: payloadEnd } = decodeCbor({ bytes, offset: payloadStart });
  const { value: signature, end } = decodeCbor({ bytes, offset: payloadEnd });
  if (end !== bytes.length) fail("document", `${bytes.length - end} bytes too many`);
  const content = decodeCbor({ bytes: toBytes("payload", payload, 1, Number.MAX_SAFE_INTEGER) });
  if (content.end !== (payload as Uint8Array).length) fail("payload", "bytes behind its end");
  const fields = toMap("payload", content.value);

  if (fields.get("digest") !== "SHA384") fail("digest", "not SHA384");
  const moduleId = fields.get("module_id");
  if (typeof moduleId !== "string") fail("module_id", "not a text");
  const timestamp = fields.get("timestamp");
  if (typeof timestamp !== "bigint") fail("timestamp", "not a number");
  const cabundle = fields.get("cabundle");
  if (!Array.isArray(cabundle) || cabundle.length === 0) fail("cabundle", "not a list, or empty");
  return {
    moduleId,
    timestamp,
    pcrs: toPcrs(fields.get("pcrs")),
    certificate: toBytes("certificate", fields.get("certificate"), 1, MAXIMUM_FIELD_LENGTH),
    cabundle: cabundle.map((entry, i) => toBytes(`cabundle[${i}]`, entry, 1, MAXIMUM_FIELD_LENGTH)),
    publicKey: toOptional("public_key", fields.get("public_key")),
    userData: toOptional("user_data", fields.get("user_data")),
    nonce: toOptional("nonce", fields.get("nonce")),
    signedMessage: Uint8Array.of(...SIGNATURE_CONTEXT, ...bytes.subarray(payloadStart, payloadEnd)),
    signature: toBytes("signature", signature, SIGNATURE_LENGTH, SIGNATURE_LENGTH),
  };
}

function toMap(
  field: string,
  value: CborValue | undefined,
): ReadonlyMap<bigint | string, CborValue> {
  return value instanceof Map ? value : fail(field, "not a map");
}

function toBytes(
  field: string,
  value: CborValue | undefined,
  minimum: number,
  maximum: number,
): Uint8Array {
  if (!(value instanceof Uint8Array)) fail(field, "not a byte string");
  if (value.length < minimum || value.length > maximum) {
    fail(field, `${value.length} bytes, expected ${minimum} to ${maximum}`);
  }
  return value;
}

function toOptional(field: string, value: CborValue | undefined): Uint8Array | null {
  return value === undefined || value === null
    ? null
    : toBytes(field, value, 0, MAXIMUM_FIELD_LENGTH);
}

function toPcrs(value: CborValue | undefined): ReadonlyMap<number, Uint8Array> {
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, measurement] of toMap("pcrs", value)) {
    if (typeof index !== "bigint" || index >= 32n) fail("pcrs", `index ${index}`);
    pcrs.set(Number(index), toBytes(`pcrs[${index}]`, measurement, PCR_LENGTH, PCR_LENGTH));
  }
  for (const index of [0, 1, 2]) if (!pcrs.has(index)) fail("pcrs", `no PCR${index}`);
  return pcrs;
}
