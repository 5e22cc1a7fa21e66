import type { ReceiptCore } from "./receipt/receipt.ts";

/**
 * Of every ECDSA signature there are two forms, with s and with the group's order minus s, and the contracts take both of P-256.
 * A receipt has the lower one, so that it can be written in one way only.
 */

const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** SubjectPublicKeyInfo up to an uncompressed point's coordinates, which are 64 bytes. */
export const P256_PREFIX = "0x3059301306072a8648ce3d020106082a8648ce3d03010703420004";
export const SECP256K1_PREFIX = "0x3056301006072a8648ce3d020106052b8104000a03420004";
const POINT_DIGITS = 128;

export type KeyKind = "p256" | "secp256k1" | "rsa";

/** The kind that a key says it is; whatever is no curve's is left to be an RSA key, or none. */
export function kindOfKey(key: string): KeyKind {
  if (isOf(key, P256_PREFIX)) return "p256";
  return isOf(key, SECP256K1_PREFIX) ? "secp256k1" : "rsa";
}

type Signed = Pick<ReceiptCore, "key" | "session" | "signature">;

/** What kind of key a receipt's signature is by; accounts have secp256k1. */
export const kindOfSignature = ({ key, session }: Pick<Signed, "key" | "session">): KeyKind =>
  key === null || session !== null ? "secp256k1" : kindOfKey(key);

/** Whether it is an ECDSA signature with the upper s. */
export function hasHighS(signed: Signed): boolean {
  const order = orderOf(signed);
  if (order === undefined || signed.signature.length < 2 + 128) return false;
  return scalarOf(signed.signature) > order / 2n;
}

/** The same signature with the other s, and the v that belongs to it; itself where there is no other. */
export function withOtherS(signed: Signed): string {
  const { signature } = signed;
  const order = orderOf(signed);
  if (order === undefined || signature.length < 2 + 128) return signature;
  const other = (order - scalarOf(signature)).toString(16).padStart(64, "0");
  const v = signature.slice(2 + 128);
  const otherV = v === "1b" ? "1c" : v === "1c" ? "1b" : v;
  return `${signature.slice(0, 2 + 64)}${other}${otherV}`;
}

const scalarOf = (signature: string): bigint => BigInt(`0x${signature.slice(2 + 64, 2 + 128)}`);

function orderOf(signed: Signed): bigint | undefined {
  const kind = kindOfSignature(signed);
  if (kind === "rsa") return undefined;
  return kind === "p256" ? P256_ORDER : SECP256K1_ORDER;
}

const isOf = (key: string, prefix: string): boolean =>
  key.startsWith(prefix) && key.length === prefix.length + POINT_DIGITS;
