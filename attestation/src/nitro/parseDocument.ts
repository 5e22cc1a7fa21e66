import { ByteCursor } from "../ByteCursor.ts";
import { toLatin1 } from "../bytes.ts";
import { EvidenceError } from "../EvidenceError.ts";
import {
  readArray,
  readBytes,
  readBytesOrNull,
  readMap,
  readText,
  readUnsigned,
  requireEnd,
  skip,
} from "./cbor.ts";

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
  ...[0x84, 0x6a, ...new TextEncoder().encode("Signature1")],
  ...[0x44, 0xa1, 0x01, 0x38, 0x22, 0x40],
);
const DIGEST = "SHA384";
const PCR_LENGTH = 48;
const PCR_LIMIT = 32n;
const MEASURED_PCRS = [0, 1, 2] as const;
const SIGNATURE_LENGTH = 96;
const MAXIMUM_FIELD_LENGTH = 1024;
const MAXIMUM_CABUNDLE = 6;
const MAXIMUM_UNKNOWN_KEYS = 8;

type Fields = Omit<NitroDocument, "signedMessage" | "signature"> & { digest: string };
const REQUIRED = ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] as const;

function fail(error: string, offset: number, reason: string): never {
  throw new EvidenceError({ error: `NitroDocument_${error}`, offset, reason });
}

/**
 * Reads a raw attestation document (COSE_Sign1 of RFC 9052). The same as `contracts/attestation/nitro/NitroDocument.sol`: reads
 * what that reads, refuses what that refuses, with the same errors; but documents of enclaves in debug mode are read
 * too, for `verifyDocument` to explain.
 * @throws EvidenceError
 */
export function parseDocument(bytes: Uint8Array): NitroDocument {
  const cursor = new ByteCursor(bytes);
  if (cursor.next === COSE_SIGN1_TAG) cursor.take(1);
  const { offset } = cursor;
  const header = bytes.subarray(offset, offset + HEADER.length);
  if (header.length !== HEADER.length || header.some((byte, i) => byte !== HEADER[i])) {
    fail("HeaderInvalid", offset, "not a COSE_Sign1 with ES384 and nothing else");
  }
  cursor.take(HEADER.length);
  const payloadStart = cursor.position;
  const payload = readBytes(cursor);
  const signed = bytes.subarray(payloadStart, cursor.position);
  const signature = readField(cursor, "signature", SIGNATURE_LENGTH, SIGNATURE_LENGTH);
  requireEnd(cursor);
  const fields = parsePayload(new ByteCursor(payload.slice()));
  const signedMessage = new Uint8Array(SIGNATURE_CONTEXT.length + signed.length);
  signedMessage.set(SIGNATURE_CONTEXT);
  signedMessage.set(signed, SIGNATURE_CONTEXT.length);
  return { ...fields, signedMessage, signature };
}

function parsePayload(cursor: ByteCursor): Omit<Fields, "digest"> {
  const fields: Partial<Fields> = {};
  const seen = new Set<string>();
  let unknownKeys = 0;
  readMap(cursor, () => {
    const { offset } = cursor;
    // As bytes: a decoder of UTF-8 would make different keys equal.
    const key = toLatin1(readText(cursor));
    if (seen.has(key)) fail("KeyRepeated", offset, `the key ${key} comes twice`);
    if (readKnown(cursor, key, fields)) {
      seen.add(key);
      return;
    }
    if (unknownKeys === MAXIMUM_UNKNOWN_KEYS) {
      fail("TooManyUnknownKeys", offset, `more than ${MAXIMUM_UNKNOWN_KEYS} unknown keys`);
    }
    unknownKeys += 1;
    seen.add(key);
    skip(cursor);
  });
  requireEnd(cursor);
  const missing = REQUIRED.filter((key) => !seen.has(key));
  if (missing.length > 0) fail("KeyMissing", cursor.offset, `no ${missing.join(", ")}`);
  const { moduleId, timestamp, pcrs, certificate, cabundle } = fields as Fields;
  const { publicKey = null, userData = null, nonce = null } = fields;
  return { moduleId, timestamp, pcrs, certificate, cabundle, publicKey, userData, nonce };
}

/** Reads the value of a known key; false for an unknown one. */
function readKnown(cursor: ByteCursor, key: string, fields: Partial<Fields>): boolean {
  const { offset } = cursor;
  switch (key) {
    case "module_id":
      fields.moduleId = new TextDecoder().decode(readText(cursor));
      return true;
    case "digest":
      fields.digest = toLatin1(readText(cursor));
      if (fields.digest !== DIGEST) {
        fail("DigestUnsupported", offset, `the digest is not ${DIGEST}`);
      }
      return true;
    case "timestamp":
      fields.timestamp = readUnsigned(cursor);
      return true;
    case "pcrs":
      fields.pcrs = readPcrs(cursor);
      return true;
    case "certificate":
      fields.certificate = readField(cursor, key, 1, MAXIMUM_FIELD_LENGTH);
      return true;
    case "cabundle":
      fields.cabundle = readCabundle(cursor);
      return true;
    case "public_key":
      fields.publicKey = readOptionalField(cursor, key);
      return true;
    case "user_data":
      fields.userData = readOptionalField(cursor, key);
      return true;
    case "nonce":
      fields.nonce = readOptionalField(cursor, key);
      return true;
    default:
      return false;
  }
}

function readPcrs(cursor: ByteCursor): ReadonlyMap<number, Uint8Array> {
  const pcrs = new Map<number, Uint8Array>();
  readMap(cursor, () => {
    const { offset } = cursor;
    const index = readUnsigned(cursor);
    if (index >= PCR_LIMIT) fail("PcrIndexInvalid", offset, `there is no PCR${index}`);
    if (pcrs.has(Number(index))) fail("PcrRepeated", offset, `PCR${index} comes twice`);
    pcrs.set(Number(index), readField(cursor, `PCR${index}`, PCR_LENGTH, PCR_LENGTH));
  });
  const missing = MEASURED_PCRS.find((index) => !pcrs.has(index));
  if (missing !== undefined) fail("PcrMissing", cursor.offset, `no PCR${missing}`);
  return pcrs;
}

function readCabundle(cursor: ByteCursor): readonly Uint8Array[] {
  const { offset } = cursor;
  const count = Number(readArray(cursor));
  if (count === 0 || count > MAXIMUM_CABUNDLE) {
    fail("LengthInvalid", offset, `cabundle has ${count} entries, not 1 to ${MAXIMUM_CABUNDLE}`);
  }
  return Array.from({ length: count }, (_, i) =>
    readField(cursor, `cabundle[${i}]`, 1, MAXIMUM_FIELD_LENGTH),
  );
}

function readField(cursor: ByteCursor, name: string, minimum: number, maximum: number): Uint8Array {
  const { offset } = cursor;
  return requireLength({ field: readBytes(cursor), name, offset, minimum, maximum });
}

function readOptionalField(cursor: ByteCursor, name: string): Uint8Array | null {
  const { offset } = cursor;
  const field = readBytesOrNull(cursor);
  if (field === null) return null;
  return requireLength({ field, name, offset, minimum: 0, maximum: MAXIMUM_FIELD_LENGTH });
}

function requireLength(parameters: {
  field: Uint8Array;
  name: string;
  offset: number;
  minimum: number;
  maximum: number;
}): Uint8Array {
  const { field, name, offset, minimum, maximum } = parameters;
  const { length } = field;
  if (length >= minimum && length <= maximum) return field;
  const expected = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
  return fail("LengthInvalid", offset, `${name} has ${length} bytes, not ${expected}`);
}
