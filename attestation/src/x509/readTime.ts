import type { ByteCursor } from "../ByteCursor.ts";
import { toLatin1 } from "../bytes.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { DER, readContent } from "./der.ts";

/**
 * A certificate's time in unix seconds: YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ from 2050 (RFC 5280, section
 * 4.1.2.5), not before 1970. The same as `X509._readTime` and `contracts/attestation/x509/Calendar.sol`.
 * @throws EvidenceError
 */
export function readTime(validity: ByteCursor): bigint {
  const { offset } = validity;
  const isUtc = validity.next === DER.utcTime;
  const content = readContent(validity, isUtc ? DER.utcTime : DER.generalizedTime);
  const text = toLatin1(content);
  const pattern = isUtc
    ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
    : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const parts = pattern.exec(text)?.slice(1).map(Number);
  const [digits = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts ?? [];
  const year = isUtc ? digits + (digits < 50 ? 2000 : 1900) : digits;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A date that does not exist comes out as another one.
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isTime = hour < 24 && minute < 60 && second < 60;
  if (parts === undefined || year < (isUtc ? 1970 : 2050) || !isDate || !isTime) {
    const reason = "not a time of RFC 5280 from 1970 on";
    throw new EvidenceError({ error: "X509_TimeInvalid", offset, reason });
  }
  return BigInt(date.getTime()) / 1000n;
}
