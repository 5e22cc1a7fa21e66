import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

/** Big-endian bytes of a number in [0, 256^length). */
export function toBytes(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(2 * length, "0");
  if (value < 0n || hex.length !== 2 * length)
    throw new RangeError(`not in ${length} bytes: ${value}`);
  return hexToBytes(hex);
}

/** The number that big-endian bytes write; zero for none. */
export const fromBytes = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);

/** Whether two have the same bytes. */
export const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Each byte as the character of its number, so that different bytes are different texts. */
export const toLatin1 = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
