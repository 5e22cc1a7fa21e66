/** A value of RLP: bytes, or a list with the bytes that it takes up, its head included. */
export type Rlp = Uint8Array | RlpList;
export type RlpList = { items: readonly Rlp[]; size: number };

/** A node in a node in a node is the most that 31 bytes have room for. */
const MAXIMUM_DEPTH = 4;
const SHORT = 55;
const LIST = 0xc0;
const BYTES = 0x80;

export const isList = (value: Rlp): value is RlpList => !(value instanceof Uint8Array);

/** The one value that all of the bytes are. Throws for anything that is not written in the one way that it can be. */
export function decodeRlp(bytes: Uint8Array): Rlp {
  const { value, end } = decodeAt(bytes, 0, 0);
  if (end !== bytes.length) throw new Error("RLP: bytes behind the value");
  return value;
}

function decodeAt(bytes: Uint8Array, start: number, depth: number): { value: Rlp; end: number } {
  if (depth > MAXIMUM_DEPTH) throw new Error("RLP: lists too deep in each other");
  const { isOfList, from, end } = headAt(bytes, start);
  if (!isOfList) {
    const value = bytes.subarray(from, end);
    const isAlone = value.length === 1 && (value[0] ?? BYTES) < BYTES;
    if (isAlone && from !== start) throw new Error("RLP: a byte with a head that it does not need");
    return { value, end };
  }
  const items: Rlp[] = [];
  let at = from;
  while (at < end) {
    const item = decodeAt(bytes, at, depth + 1);
    items.push(item.value);
    at = item.end;
  }
  if (at !== end) throw new Error("RLP: an item that leads out of its list");
  return { value: { items, size: end - start }, end };
}

/** Where a value's payload is. */
function headAt(
  bytes: Uint8Array,
  start: number,
): { isOfList: boolean; from: number; end: number } {
  const first = bytes[start];
  if (first === undefined) throw new Error("RLP: ends too early");
  const isOfList = first >= LIST;
  const base = isOfList ? LIST : BYTES;
  if (first < BYTES) return { isOfList, from: start, end: start + 1 };
  const isShort = first - base <= SHORT;
  const digits = isShort ? 0 : first - base - SHORT;
  const length = isShort ? first - base : lengthAt(bytes, start + 1, digits);
  const from = start + 1 + digits;
  if (from + length > bytes.length) throw new Error("RLP: ends too early");
  return { isOfList, from, end: from + length };
}

/** A length of 56 or more in so many bytes; four bytes would be more than anything here has. */
function lengthAt(bytes: Uint8Array, start: number, digits: number): number {
  const written = bytes.subarray(start, start + digits);
  if (written.length !== digits || digits > 3) throw new Error("RLP: a length that cannot be");
  const length = written.reduce((sum, byte) => 256 * sum + byte, 0);
  if (written[0] === 0 || length <= SHORT) throw new Error("RLP: a length not in its short form");
  return length;
}

/** Bytes as a number below 2^256, without leading zeros. */
export function numberOf(value: Rlp | undefined): bigint {
  if (!(value instanceof Uint8Array) || value.length > 32 || value[0] === 0) {
    throw new Error("RLP: no number where one belongs");
  }
  return value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Bytes of a length. */
export function fixed(value: Rlp | undefined, length: number): Uint8Array {
  if (value instanceof Uint8Array && value.length === length) return value;
  throw new Error(`RLP: not ${length} bytes where they belong`);
}
