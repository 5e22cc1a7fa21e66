import { createHash } from "node:crypto";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { inputHashOf } from "../profile/hashes.ts";
import type { Grant } from "./grant.ts";
import { SIGNED_SECONDS } from "./offers.ts";
import type { Payable } from "./payable.ts";
import type { Payment } from "./payment.ts";
import type { Quote } from "./quote.ts";

const SALT = /^0x[0-9a-f]{64}$/;

/** The payment that a header has; undefined where it is none. */
export function decode(header: string): PaymentPayload | undefined {
  try {
    return decodePaymentSignatureHeader(header);
  } catch {
    return undefined;
  }
}

/** The request with the salt that its quote has, where the client gave none of its own. */
export function saltedBy(request: Payable, salt: unknown): Payable {
  if (request.isSalted || typeof salt !== "string" || !SALT.test(salt)) return request;
  return { ...request, salt, inputHash: inputHashOf(salt, request.body) };
}

/** The same for the same request; the salt counts where it is the client's. */
export const sameOf = (request: Payable): string =>
  createHash("sha256")
    .update(requestBytes(request, request.isSalted ? request.salt : ""))
    .digest("hex");

/** All that an answer depends on: in the profile `legacy` also what is signed for the client, which the body alone does not say. */
export function requestBytes({ body, legacy, path }: Payable, salt: string): Buffer {
  const profile = legacy && `legacy ${legacy.settlement} ${legacy.requestHash}\n`;
  return Buffer.concat([Buffer.from(`${path}\n${salt}\n${profile ?? ""}`), body]);
}

/** The salt keeps a prompt from being found by trying: nobody but the client has it. */
export function withoutSalt(requirements: PaymentRequirements): PaymentRequirements {
  const { salt: _salt, ...haca } = requirements.extra.haca as Quote;
  return { ...requirements, extra: { ...requirements.extra, haca } };
}

/** Of the grant of a payment. */
export const idOf = ({ nonce, payer, route }: Payment): string => `${route}:${payer}:${nonce}`;

/** Under which an answer is kept. */
export const keyOf = ({ contentHash, id }: Pick<Grant, "id" | "contentHash">): string =>
  `x402 ${id} ${contentHash}`;

/**
 * Whether what was signed can be used now, and not for much longer. One that cannot may be an old one, whose answer is forgotten;
 * one that can for ever would have to be watched for ever.
 */
export const canBeTaken = ({ validUntil }: Payment, now: number): boolean =>
  validUntil > BigInt(now) && validUntil <= BigInt(now + 2 * SIGNED_SECONDS);
