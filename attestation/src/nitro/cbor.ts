import type { ByteCursor } from "../ByteCursor.ts";
import { fromBytes } from "../bytes.ts";
import { EvidenceError } from "../EvidenceError.ts";

/**
 * A strict reader of CBOR (RFC 8949). The same as `contracts/attestation/cbor/Cbor.sol`: reads what that reads, refuses what that
 * refuses, with the same errors.
 */

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

const TYPE_NAMES = ["a number", "a negative number", "bytes", "text", "a list", "a map", "a tag"];

/** How deep an unknown value may nest. */
const MAXIMUM_DEPTH = 8;
const BREAK = 0xff;
const NULL = 0xf6;
const INDEFINITE_MAP = 0xbf;
/** Simple values below 32 have to be in the header itself. */
const FIRST_LONG_SIMPLE = 32n;

const nameOf = (majorType: number) => TYPE_NAMES[majorType] ?? "a simple value";

const truncated = (offset: number) =>
  new EvidenceError({ error: "Cbor_Truncated", offset, reason: "reaches behind the end" });

export const readUnsigned = (cursor: ByteCursor): bigint => readExpected(cursor, UNSIGNED);

/** A byte string of definite length. */
export const readBytes = (cursor: ByteCursor): Uint8Array => readString(cursor, BYTES);

/** A text string of definite length, as bytes: whether it is UTF-8 is not looked at. */
export const readText = (cursor: ByteCursor): Uint8Array => readString(cursor, TEXT);

export function readBytesOrNull(cursor: ByteCursor): Uint8Array | null {
  if (cursor.next !== NULL) return readBytes(cursor);
  cursor.take(1);
  return null;
}

/** Header of an array of definite length; the number of its items, which nothing was compared with. */
export const readArray = (cursor: ByteCursor): bigint => readExpected(cursor, ARRAY);

/** Reads a map's entries, one call for each; of definite or indefinite length. */
export function readMap(cursor: ByteCursor, readEntry: () => void): void {
  if (cursor.next === INDEFINITE_MAP) {
    cursor.take(1);
    while (hasEntry(cursor)) readEntry();
    return;
  }
  const size = readExpected(cursor, MAP);
  for (let i = 0n; i < size; i++) readEntry();
}

/** Passes over one item of any type. */
export function skip(cursor: ByteCursor, depth: number = MAXIMUM_DEPTH): void {
  if (depth === 0) {
    const reason = "nested too deeply";
    throw new EvidenceError({ error: "Cbor_NestingTooDeep", offset: cursor.offset, reason });
  }
  if (cursor.next === INDEFINITE_MAP) {
    cursor.take(1);
    while (hasEntry(cursor)) skipItems(cursor, 2n, depth);
    return;
  }
  const { majorType, argument } = readHeader(cursor);
  if (majorType === BYTES || majorType === TEXT) takeString(cursor, argument);
  else if (majorType === TAG) skipItems(cursor, 1n, depth);
  else if (majorType === ARRAY) skipItems(cursor, argument, depth);
  else if (majorType === MAP) skipItems(cursor, 2n * argument, depth);
}

export function requireEnd(cursor: ByteCursor): void {
  if (cursor.remaining === 0) return;
  const reason = `${cursor.remaining} bytes too many`;
  throw new EvidenceError({ error: "Cbor_TrailingBytes", offset: cursor.offset, reason });
}

function skipItems(cursor: ByteCursor, count: bigint, depth: number): void {
  for (let i = 0n; i < count; i++) skip(cursor, depth - 1);
}

function hasEntry(cursor: ByteCursor): boolean {
  if (cursor.remaining === 0) throw truncated(cursor.offset);
  if (cursor.next !== BREAK) return true;
  cursor.take(1);
  return false;
}

function readString(cursor: ByteCursor, majorType: number): Uint8Array {
  return takeString(cursor, readExpected(cursor, majorType));
}

function takeString(cursor: ByteCursor, length: bigint): Uint8Array {
  if (length > BigInt(cursor.remaining)) throw truncated(cursor.offset);
  return cursor.take(Number(length));
}

function readExpected(cursor: ByteCursor, expected: number): bigint {
  const { offset } = cursor;
  const { majorType, argument } = readHeader(cursor);
  if (majorType === expected) return argument;
  const reason = `expected ${nameOf(expected)}, found ${nameOf(majorType)}`;
  throw new EvidenceError({ error: "Cbor_UnexpectedType", offset, reason });
}

function readHeader(cursor: ByteCursor): { majorType: number; argument: bigint } {
  const { offset, remaining, next } = cursor;
  if (next === undefined) throw truncated(offset);
  const majorType = next >> 5;
  const information = next & 0x1f;
  if (information < 24) {
    cursor.take(1);
    return { majorType, argument: BigInt(information) };
  }
  if (information > 27) {
    const reason = "a reserved header, or an indefinite length where none is allowed";
    throw new EvidenceError({ error: "Cbor_UnsupportedHeader", offset, reason });
  }
  const size = 1 << (information - 24);
  if (remaining <= size) throw truncated(offset);
  const argument = fromBytes(cursor.bytes.subarray(offset + 1, offset + 1 + size));
  if (argument < leastArgument(majorType, size)) {
    const reason = "not in shortest form";
    throw new EvidenceError({ error: "Cbor_NotShortestForm", offset, reason });
  }
  cursor.take(1 + size);
  return { majorType, argument };
}

/** Least argument that needs `size` bytes. Two, four or eight bytes of a simple value are a float, of any bits. */
function leastArgument(majorType: number, size: number): bigint {
  if (majorType === SIMPLE) return size === 1 ? FIRST_LONG_SIMPLE : 0n;
  return size === 1 ? 24n : 1n << BigInt(4 * size);
}
