import { BaseError } from "@haca/protocol/baseError";
import type { PaymentTerms } from "../client/payer.ts";
import type { Authorization } from "./authorize.ts";

/** What a journal keeps of a payment: what is signed before it is, the signature before it leaves. */
export type PaymentNote = {
  version: 1;
  /** what it is for */
  requestHash: string;
  terms: PaymentTerms;
  authorization: Authorization;
  /** the offer as it came, and what it is of */
  accepted: object;
  resource: unknown;
  signature: string | null;
};

/** A note of the journal, which is the payer's own. @throws BaseError `payment.journal` for what is none */
export function readNote(text: string): PaymentNote {
  try {
    const note = JSON.parse(text) as PaymentNote;
    const { most, validUntil } = note.terms;
    const isNumbers = /^\d+$/.test(most) && /^\d+$/.test(validUntil);
    if (note.version === 1 && isNumbers && typeof note.requestHash === "string") return note;
  } catch {
    // Said below.
  }
  throw new BaseError({
    code: "payment.journal",
    message: "the journal of payments has something else under this key than a payment",
  });
}
