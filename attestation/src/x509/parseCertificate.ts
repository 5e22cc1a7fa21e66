import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { ByteCursor } from "../ByteCursor.ts";
import { fromBytes } from "../bytes.ts";
import { EvidenceError } from "../EvidenceError.ts";
import {
  DER,
  enter,
  failTruncated,
  readContent,
  readMagnitude,
  readWhole,
  requireEnd,
} from "./der.ts";
import { readTime } from "./readTime.ts";

/** A certificate as `contracts/attestation/x509/X509.sol` reads it. Names are DER. */
export type Certificate = {
  tbs: Uint8Array;
  issuer: Uint8Array;
  subject: Uint8Array;
  serial: bigint;
  /** unix seconds, both inclusive */
  notBefore: bigint;
  notAfter: bigint;
  /** x | y of the P-384 key */
  publicKey: Uint8Array;
  /** basicConstraints' cA */
  isAuthority: boolean;
  /** how many authorities may follow below this one; `NO_PATH_LENGTH` if unlimited */
  pathLength: number;
  /** the bits as they stand in the extension's byte */
  keyUsage: number;
  /** SEQUENCE { r, s } in DER, read by `toRawSignature` */
  signature: Uint8Array;
};

export const NO_PATH_LENGTH = 255;
/** Bits of keyUsage, counted from the left of its byte. */
export const DIGITAL_SIGNATURE = 0x80;
export const CERTIFICATE_SIGN = 0x04;

/** [0] EXPLICIT INTEGER 2. */
const VERSION_3 = hexToBytes("a003020102");
/** SEQUENCE { ecdsa-with-SHA384 }. */
const ECDSA_SHA384 = hexToBytes("300a06082a8648ce3d040303");
/** SubjectPublicKeyInfo of an uncompressed P-384 point, up to its coordinates. */
export const P384_KEY_PREFIX = hexToBytes("3076301006072a8648ce3d020106052b8104002203620004");
const POINT_LENGTH = 96;
const SCALAR_LENGTH = 48;
const MAXIMUM_SERIAL_BYTES = 20;
/** [3] EXPLICIT. */
const EXTENSIONS = 0xa3;
const DER_TRUE = 0xff;
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";

function fail(error: string, offset: number, reason: string): never {
  throw new EvidenceError({ error: `X509_${error}`, offset, reason });
}

/** The signed part only, header included. */
export const readTbs = (der: Uint8Array): Uint8Array => readWhole(outerOf(der), DER.sequence);

/**
 * Reads a certificate. The same as `contracts/attestation/x509/X509.sol`: reads what that reads, refuses what that refuses, with
 * the same errors. Signature, validity and issuer are for `verifyChain` to judge.
 * @throws EvidenceError
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const outer = outerOf(der);
  const start = outer.position;
  const fields = parseTbs(enter(outer, DER.sequence));
  const tbs = der.subarray(start, outer.position);
  expect(outer, ECDSA_SHA384, "another signature algorithm than ecdsa-with-SHA384");
  const signature = readBitString(outer);
  requireEnd(outer);
  return { tbs, ...fields, signature };
}

/**
 * r | s of a signature `SEQUENCE { INTEGER r, INTEGER s }`, 48 bytes each. The same as `X509.toRawSignature`.
 * @throws EvidenceError
 */
export function toRawSignature(der: Uint8Array): Uint8Array {
  const outer = new ByteCursor(der);
  const content = enter(outer, DER.sequence);
  requireEnd(outer);
  const raw = new Uint8Array(2 * SCALAR_LENGTH);
  for (const end of [SCALAR_LENGTH, 2 * SCALAR_LENGTH]) {
    const magnitude = readMagnitude(content, SCALAR_LENGTH);
    raw.set(magnitude, end - magnitude.length);
  }
  requireEnd(content);
  return raw;
}

/**
 * Ids of a chain's certificates in a certificate store, root first:
 * `keccak256(abi.encode(parentId, keccak256(TBS)))`, with a parent id of zero for the root.
 */
export function certificateIds(chain: readonly Uint8Array[]): string[] {
  const ids: Uint8Array[] = [];
  for (const der of chain) {
    const parent = ids.at(-1) ?? new Uint8Array(32);
    ids.push(keccak_256(concatBytes(parent, keccak_256(readTbs(der)))));
  }
  return ids.map((id) => `0x${bytesToHex(id)}`);
}

/** SubjectPublicKeyInfo of a P-384 key, DER. */
export const p384Spki = (publicKey: Uint8Array): Uint8Array =>
  concatBytes(P384_KEY_PREFIX, publicKey);

/** The certificate's three parts; nothing follows the certificate. */
function outerOf(der: Uint8Array): ByteCursor {
  const cursor = new ByteCursor(der);
  const content = enter(cursor, DER.sequence);
  requireEnd(cursor);
  return content;
}

function parseTbs(tbs: ByteCursor): Omit<Certificate, "tbs" | "signature"> {
  expect(tbs, VERSION_3, "another version than 3");
  const serial = fromBytes(readMagnitude(tbs, MAXIMUM_SERIAL_BYTES));
  expect(tbs, ECDSA_SHA384, "another signature algorithm than ecdsa-with-SHA384");
  const issuer = readWhole(tbs, DER.sequence);
  const validity = enter(tbs, DER.sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  requireEnd(validity);
  const subject = readWhole(tbs, DER.sequence);
  expect(tbs, P384_KEY_PREFIX, "the key is not an uncompressed P-384 point");
  if (tbs.remaining < POINT_LENGTH) failTruncated(tbs.offset);
  const publicKey = tbs.take(POINT_LENGTH);
  const extensions = parseExtensions(tbs);
  requireEnd(tbs);
  return { serial, issuer, notBefore, notAfter, subject, publicKey, ...extensions };
}

type Extensions = Pick<Certificate, "isAuthority" | "pathLength" | "keyUsage">;

function parseExtensions(tbs: ByteCursor): Extensions {
  const wrapper = enter(tbs, EXTENSIONS);
  const extensions = enter(wrapper, DER.sequence);
  requireEnd(wrapper);
  let constraints: Omit<Extensions, "keyUsage"> | undefined;
  let keyUsage: number | undefined;
  while (extensions.remaining > 0) {
    const { offset } = extensions;
    const extension = enter(extensions, DER.sequence);
    const name = bytesToHex(readContent(extension, DER.objectIdentifier));
    const isCritical = readOptionalTrue(extension);
    const value = enter(extension, DER.octetString);
    requireEnd(extension);
    if (name === BASIC_CONSTRAINTS) {
      if (constraints) fail("ExtensionRefused", offset, "basicConstraints come twice");
      constraints = parseConstraints(value);
    } else if (name === KEY_USAGE) {
      if (keyUsage !== undefined) fail("ExtensionRefused", offset, "keyUsage comes twice");
      keyUsage = parseKeyUsage(value);
    } else if (isCritical) {
      fail("ExtensionRefused", offset, "an unknown critical extension");
    }
  }
  if (constraints === undefined || keyUsage === undefined) {
    fail("ExtensionMissing", tbs.offset, "basicConstraints or keyUsage is missing");
  }
  return { ...constraints, keyUsage };
}

function parseConstraints(value: ByteCursor): Omit<Extensions, "keyUsage"> {
  const content = enter(value, DER.sequence);
  requireEnd(value);
  const isAuthority = readOptionalTrue(content);
  const pathLength =
    isAuthority && content.remaining > 0
      ? Number(fromBytes(readMagnitude(content, 1)))
      : NO_PATH_LENGTH;
  requireEnd(content);
  return { isAuthority, pathLength };
}

/** First byte of the bits. A second one, for decipherOnly, is not in the subset. */
function parseKeyUsage(value: ByteCursor): number {
  const { offset } = value;
  const bits = readContent(value, DER.bitString);
  requireEnd(value);
  const [unused = 8, usage = 0] = bits;
  // DER: unused bits are zero and the last used one is set.
  if (bits.length !== 2 || unused > 7 || (usage & ((2 << unused) - 1)) !== 1 << unused) {
    fail("FieldInvalid", offset, "keyUsage is not one byte of bits in DER");
  }
  return usage;
}

/** A BOOLEAN with default false: either absent or true. */
function readOptionalTrue(cursor: ByteCursor): boolean {
  if (cursor.next !== DER.boolean) return false;
  const { offset } = cursor;
  const content = readContent(cursor, DER.boolean);
  if (content.length !== 1 || content[0] !== DER_TRUE) {
    fail("FieldInvalid", offset, "a boolean that DER does not write so");
  }
  return true;
}

/** A BIT STRING of whole bytes. */
function readBitString(cursor: ByteCursor): Uint8Array {
  const { offset } = cursor;
  const content = enter(cursor, DER.bitString);
  if (content.next !== 0) fail("FieldInvalid", offset, "a signature that is not of whole bytes");
  content.take(1);
  return content.take(content.remaining);
}

/** Exactly these bytes come next. */
function expect(cursor: ByteCursor, expected: Uint8Array, reason: string): void {
  const { offset } = cursor;
  if (cursor.remaining < expected.length) failTruncated(offset);
  const actual = cursor.take(expected.length);
  if (actual.some((byte, i) => byte !== expected[i])) fail("FieldInvalid", offset, reason);
}
