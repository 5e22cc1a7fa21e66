import { ByteCursor } from "../ByteCursor.ts";
import { EvidenceError } from "../EvidenceError.ts";

/**
 * A strict reader of DER (X.690). The same as `contracts/attestation/x509/Der.sol`: reads what that reads, refuses what that
 * refuses, with the same errors.
 */

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

function fail(error: string, offset: number, reason: string): never {
  throw new EvidenceError({ error: `Der_${error}`, offset, reason });
}

export const failTruncated = (offset: number): never =>
  fail("Truncated", offset, "reaches behind the end");

/** A reader over the content of the next element, which moves behind it. */
export function enter(cursor: ByteCursor, tag: number): ByteCursor {
  const { offset, remaining } = cursor;
  if (remaining < 2) failTruncated(offset);
  const actual = cursor.next;
  if (actual !== tag) {
    fail("UnexpectedTag", offset, `expected an element of tag ${tag}, found ${actual}`);
  }
  cursor.take(1);
  let length = cursor.peekNumber(1);
  cursor.take(1);
  if (length >= 0x80) {
    const size = length - 0x80;
    if (size === 0 || size > 2) fail("LengthInvalid", offset, "unsupported length");
    if (remaining < 2 + size) failTruncated(offset);
    length = cursor.peekNumber(size);
    cursor.take(size);
    if (length < (size === 1 ? 0x80 : 0x100)) {
      fail("LengthInvalid", offset, "a length that is not in shortest form");
    }
  }
  if (length > cursor.remaining) failTruncated(offset);
  const start = cursor.position;
  cursor.take(length);
  return new ByteCursor(cursor.bytes, start, cursor.position);
}

/** Content of the next element. */
export function readContent(cursor: ByteCursor, tag: number): Uint8Array {
  const content = enter(cursor, tag);
  return content.take(content.remaining);
}

/** The next element with its header. */
export function readWhole(cursor: ByteCursor, tag: number): Uint8Array {
  const start = cursor.position;
  enter(cursor, tag);
  return cursor.bytes.subarray(start, cursor.position);
}

/** Magnitude of an integer that is not negative: its bytes without the sign byte; none for zero. */
export function readMagnitude(cursor: ByteCursor, maximumBytes: number): Uint8Array {
  const { offset } = cursor;
  const content = enter(cursor, DER.integer);
  const first = content.next;
  if (first === undefined || first >= 0x80) {
    fail("IntegerInvalid", offset, "an integer that is empty or negative");
  }
  if (first === 0) {
    if (content.remaining > 1 && content.peekNumber(2) < 0x80) {
      fail("IntegerInvalid", offset, "an integer that is not in shortest form");
    }
    content.take(1);
  }
  if (content.remaining > maximumBytes) {
    fail("IntegerTooLong", offset, `an integer of more than ${maximumBytes} bytes`);
  }
  return content.take(content.remaining);
}

export function requireEnd(cursor: ByteCursor): void {
  if (cursor.remaining === 0) return;
  fail("TrailingBytes", cursor.offset, `${cursor.remaining} bytes too many`);
}
