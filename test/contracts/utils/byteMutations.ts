import { concat, dataLength, dataSlice, getBytes, hexlify, toBeHex } from "ethers";
import type { Random } from "./seededRandom.ts";

/** Order of secp256k1. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** Changes one bit. */
export function flipBit(hex: string, random: Random): string {
  const bytes = getBytes(hex);
  if (bytes.length === 0) return "0x00";
  const place = random.below(bytes.length);
  bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
  return hexlify(bytes);
}

/** Changes one bit of a number of so many bits. */
export const flipBitOf = (value: bigint, bits: number, random: Random): bigint =>
  value ^ (1n << BigInt(random.below(bits)));

/** What becomes of bytes that somebody passes on. */
export const BYTE_MUTATIONS: Record<string, (hex: string, random: Random) => string> = {
  bit: flipBit,
  oneShort: (hex) => dataSlice(hex, 0, Math.max(0, dataLength(hex) - 1)),
  oneLong: (hex, random) => concat([hex, toBeHex(random.below(256), 1)]),
  empty: () => "0x",
  zeros: (hex) => `0x${"00".repeat(dataLength(hex))}`,
  ones: (hex) => `0x${"ff".repeat(dataLength(hex))}`,
};

/** Of a signature r | s | v: the other s, and other forms of v. */
const ECDSA_FORMS: Record<string, (signature: string) => string> = {
  highS: (signature) => {
    const { r, s, v } = parts(signature);
    const other = BigInt.asUintN(256, CURVE_ORDER - BigInt(s));
    return concat([r, toBeHex(other, 32), v === "0x1b" ? "0x1c" : "0x1b"]);
  },
  otherParity: (signature) => {
    const { r, s, v } = parts(signature);
    return concat([r, s, v === "0x1b" ? "0x1c" : "0x1b"]);
  },
  smallV: (signature) => {
    const { r, s, v } = parts(signature);
    return concat([r, s, toBeHex((Number(v) + 229) % 256, 1)]);
  },
  compact: (signature) => {
    const { r, s, v } = parts(signature);
    return concat([r, toBeHex(BigInt(s) | (BigInt((Number(v) + 1) % 2) << 255n), 32)]);
  },
  rZero: (signature) => concat([toBeHex(0n, 32), dataSlice(signature, 32)]),
  sZero: (signature) => {
    const { r, v } = parts(signature);
    return concat([r, toBeHex(0n, 32), v]);
  },
  rAboveOrder: (signature) => concat([toBeHex(CURVE_ORDER, 32), dataSlice(signature, 32)]),
};

/** What becomes of an ECDSA signature; one of another length is left as it is by what changes its parts. */
export const ECDSA_MUTATIONS: typeof BYTE_MUTATIONS = {
  ...BYTE_MUTATIONS,
  ...Object.fromEntries(
    Object.entries(ECDSA_FORMS).map(([name, change]) => [
      name,
      (signature: string) => (dataLength(signature) === 65 ? change(signature) : signature),
    ]),
  ),
};

const parts = (signature: string): { r: string; s: string; v: string } => ({
  r: dataSlice(signature, 0, 32),
  s: dataSlice(signature, 32, 64),
  v: dataSlice(signature, 64, 65),
});
