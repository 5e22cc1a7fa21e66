import { concatHex, lengthOf } from "../bytes.ts";

/** Bytes and lists in RLP, as hex; what reads it is in `rlp.ts`. */

export function rlpBytes(bytes: string): string {
  const isAlone = lengthOf(bytes) === 1 && Number(bytes) < 0x80;
  return isAlone ? bytes : concatHex(headOf(0x80, lengthOf(bytes)), bytes);
}

/** A number in hex, whatever zeros it begins with. */
export const rlpQuantity = (quantity: string): string => rlpBytes(minimal(quantity));

/** @param items in RLP */
export function rlpList(...items: readonly string[]): string {
  const payload = concatHex(...items);
  return concatHex(headOf(0xc0, lengthOf(payload)), payload);
}

/** Without leading zeros, whole bytes; zero is nothing. */
function minimal(quantity: string): string {
  const digits = quantity.slice(2).replace(/^0+/, "");
  return `0x${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

function headOf(base: number, length: number): string {
  if (length <= 55) return `0x${(base + length).toString(16)}`;
  const digits = length.toString(16).padStart(length > 0xff ? 4 : 2, "0");
  return `0x${(base + 55 + digits.length / 2).toString(16)}${digits}`;
}
