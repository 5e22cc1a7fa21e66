import { BaseError } from "@haca/protocol/baseError";
import { concat, dataLength, getBytes, keccak256 } from "ethers";

/** A certificate as `contracts/attestation/X509.sol` reads it. Names are DER. */
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
  /** r | s */
  signature: Uint8Array;
};

type Element = { tag: number; whole: Uint8Array; content: Uint8Array };

const SPKI_PREFIX_LENGTH = 24;
const POINT_LENGTH = 96;
const SCALAR_LENGTH = 48;

function fail(reason: string): never {
  throw new BaseError({ code: "certificate.invalid", message: `certificate: ${reason}` });
}

/**
 * Takes the fields out of a certificate that hints, ids and explanations need. Judging it is for the contracts.
 * @throws BaseError `certificate.invalid`
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const [outer] = readElements(der);
  const [tbs, , signature] = readElements(outer?.content);
  const [, serial, , issuer, validity, subject, key] = readElements(tbs?.content);
  if (!tbs || !signature || !serial || !issuer || !validity || !subject || !key)
    fail("fields are missing");
  const [notBefore, notAfter] = readElements(validity.content);
  const [numbers] = readElements(signature.content.subarray(1));
  const [r, s] = readElements(numbers?.content);
  if (!notBefore || !notAfter || !r || !s) fail("fields are missing");
  if (key.whole.length !== SPKI_PREFIX_LENGTH + POINT_LENGTH) fail("the key is not a P-384 point");
  return {
    tbs: tbs.whole,
    issuer: issuer.whole,
    subject: subject.whole,
    serial: BigInt(`0x${Buffer.from(serial.content).toString("hex")}`),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    publicKey: key.whole.subarray(SPKI_PREFIX_LENGTH),
    signature: getBytes(concat([toScalar(r.content), toScalar(s.content)])),
  };
}

/**
 * Ids of a chain's certificates in a certificate store, root first:
 * `keccak256(abi.encode(parentId, keccak256(TBS)))`, with a parent id of zero for the root.
 */
export function certificateIds(chain: readonly Uint8Array[]): string[] {
  const ids: string[] = [];
  for (const der of chain) {
    const parent = ids.at(-1) ?? `0x${"00".repeat(32)}`;
    ids.push(keccak256(concat([parent, keccak256(parseCertificate(der).tbs)])));
  }
  return ids;
}

function readElements(bytes: Uint8Array | undefined): Element[] {
  const elements: Element[] = [];
  for (let offset = 0; bytes !== undefined && offset < bytes.length; ) {
    const tag = bytes[offset] ?? 0;
    let length = bytes[offset + 1] ?? fail("truncated");
    let start = offset + 2;
    if (length >= 0x80) {
      const size = length - 0x80;
      if (size === 0 || size > 2) fail("unsupported length");
      if (start + size > bytes.length) fail("truncated");
      length = Buffer.from(bytes.subarray(start, start + size)).readUIntBE(0, size);
      start += size;
    }
    if (start + length > bytes.length) fail("truncated");
    const end = start + length;
    elements.push({ tag, whole: bytes.subarray(offset, end), content: bytes.subarray(start, end) });
    offset = end;
  }
  return elements;
}

function readTime({ tag, content }: Element): bigint {
  const text = new TextDecoder().decode(content);
  const century = Number(text.slice(0, 2)) < 50 ? "20" : "19";
  const digits = tag === 0x17 ? century + text : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? fail(`time ${text}`);
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  return BigInt(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) / 1000);
}

function toScalar(integer: Uint8Array): Uint8Array {
  const magnitude = integer[0] === 0 ? integer.subarray(1) : integer;
  if (dataLength(magnitude) > SCALAR_LENGTH) fail("the signature is too long");
  const scalar = new Uint8Array(SCALAR_LENGTH);
  scalar.set(magnitude, SCALAR_LENGTH - magnitude.length);
  return scalar;
}
