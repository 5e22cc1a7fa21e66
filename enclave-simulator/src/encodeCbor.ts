import { concat } from "./bytes.ts";

/** A value to be written; numbers are unsigned integers, `entries` are a map's. */
export type CborInput =
  | bigint
  | string
  | Uint8Array
  | null
  | readonly CborInput[]
  | { entries: readonly (readonly [bigint | string, CborInput])[]; isIndefinite?: boolean };

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;

/** Writes CBOR (RFC 8949) in shortest form; a map with an indefinite length where asked. */
export function encodeCbor(value: CborInput): Uint8Array {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === "bigint") return header(UNSIGNED, value);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return concat(header(TEXT, BigInt(bytes.length)), bytes);
  }
  if (value instanceof Uint8Array) return concat(header(BYTES, BigInt(value.length)), value);
  if ("entries" in value && !Array.isArray(value)) {
    const { entries, isIndefinite } = value as Exclude<CborInput, readonly CborInput[]> & {
      entries: readonly (readonly [bigint | string, CborInput])[];
      isIndefinite?: boolean;
    };
    const content = entries.flatMap(([key, entry]) => [encodeCbor(key), encodeCbor(entry)]);
    return isIndefinite
      ? concat(Uint8Array.of(0xbf), ...content, Uint8Array.of(0xff))
      : concat(header(MAP, BigInt(entries.length)), ...content);
  }
  const items = value as readonly CborInput[];
  return concat(header(ARRAY, BigInt(items.length)), ...items.map(encodeCbor));
}

function header(majorType: number, argument: bigint): Uint8Array {
  const type = majorType << 5;
  if (argument < 24n) return Uint8Array.of(type | Number(argument));
  const size = [1, 2, 4, 8].find((bytes) => argument < 1n << BigInt(8 * bytes));
  if (size === undefined) throw new RangeError(`${argument} does not fit 64 bits`);
  const bytes = Buffer.from(argument.toString(16).padStart(2 * size, "0"), "hex");
  return concat(Uint8Array.of(type | (24 + Math.log2(size))), bytes);
}
