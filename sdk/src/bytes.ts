import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** Everything of a receipt that is bytes is `0x` and lower-case hex; these take such text, and whatever else throws. */

export const toBytes = (hex: string): Uint8Array => {
  if (!hex.startsWith("0x")) throw new TypeError("hex begins with 0x");
  return hexToBytes(hex.slice(2));
};

export const toHex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;

export const concatHex = (...parts: readonly string[]): string =>
  `0x${parts.map((part) => part.slice(2)).join("")}`;

/** A number as a big-endian word of 32 bytes. */
export function wordOf(value: bigint): string {
  const digits = value.toString(16);
  if (value < 0n || digits.length > 64) throw new RangeError("a word has 32 bytes");
  return `0x${digits.padStart(64, "0")}`;
}

/** Digits from which on the hash of the last text is kept: documents, which are looked at several times. */
const LONG = 2_000;
let last = { hex: "", hash: "" };

/** keccak256 of bytes that are given as hex. */
export function keccak(...parts: readonly string[]): string {
  const [first = "", second] = parts;
  if (second !== undefined || first.length < LONG) return hashed(parts);
  if (first !== last.hex) last = { hex: first, hash: hashed(parts) };
  return last.hash;
}

const hashed = (parts: readonly string[]): string =>
  toHex(keccak_256(concatBytes(...parts.map(toBytes))));

export const keccakText = (text: string): string => toHex(keccak_256(utf8ToBytes(text)));

export const lengthOf = (hex: string): number => (hex.length - 2) / 2;

/** Part of some bytes, from an offset on. */
export const sliceHex = (hex: string, start: number, end?: number): string =>
  `0x${hex.slice(2 + 2 * start, end === undefined ? undefined : 2 + 2 * end)}`;

/** Throws for what is no base64. */
export function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** The bytes of a text in UTF-8. */
export const hexOfText = (text: string): string => toHex(utf8ToBytes(text));
