import { concat } from "./bytes.ts";

/** Tags of the elements that certificates consist of. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** One element of DER (X.690): tag, length in shortest form, content. */
export function encodeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(...content);
  const length = body.length;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), body);
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), body);
  return concat(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), body);
}

/** An INTEGER that is not negative. */
export function encodeDerInteger(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const isNegative = (bytes[0] ?? 0) >= 0x80;
  return encodeDer(DER_TAG.integer, isNegative ? Uint8Array.of(0) : new Uint8Array(), bytes);
}

/** A time as RFC 5280 wants it: two digits of the year until 2049, four from 2050 on. */
export function encodeDerTime(unixSeconds: bigint): Uint8Array {
  const digits = new Date(Number(unixSeconds) * 1000).toISOString().replace(/\.\d+|[-:T]/g, "");
  const text = new TextEncoder();
  return Number(digits.slice(0, 4)) < 2050
    ? encodeDer(DER_TAG.utcTime, text.encode(digits.slice(2)))
    : encodeDer(DER_TAG.generalizedTime, text.encode(digits));
}
