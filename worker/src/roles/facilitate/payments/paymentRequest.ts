import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { z } from "zod";
import { BadSubmissionError } from "../facilitatorErrors.ts";

/** What a client of x402 brings to have a payment verified or settled. */
export type PaymentRequest = {
  payload: PaymentPayload;
  requirements: PaymentRequirements;
  /** who pays */
  payer: string;
  /** names the authorization, whatever signature it comes under: it pays once */
  key: string;
  /** most that it takes from the payer, in smallest units */
  amount: bigint;
};

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
const word = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");
const uint = z
  .string()
  .regex(/^\d{1,78}$/, { error: "must be a decimal number of 78 digits at most", abort: true })
  .refine((text) => BigInt(text) < 1n << 256n, "must be below 2^256");
/** Of a key, or of a contract that is a wallet. */
const signature = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/, "must be 0x and hex digits, two a byte")
  .max(2 + 2 * 8_192, "must have at most 8192 bytes");
const text = z.string().min(1).max(200);

const requirementsSchema = z.looseObject({
  scheme: text,
  network: text,
  asset: address,
  amount: uint,
  payTo: address,
  maxTimeoutSeconds: z.number().positive(),
});
/** EIP-3009. */
const transferSchema = z.looseObject({
  signature,
  authorization: z.looseObject({
    ...{ from: address, to: address, value: uint, validAfter: uint, validBefore: uint },
    nonce: word,
  }),
});
const permitSchema = z.looseObject({
  signature,
  permit2Authorization: z.looseObject({
    ...{ from: address, spender: address, nonce: uint, deadline: uint },
    permitted: z.looseObject({ token: address, amount: uint }),
    witness: z.looseObject({ to: address, validAfter: uint }),
  }),
});
const payloadSchema = z.looseObject({
  x402Version: z.int(),
  accepted: requirementsSchema,
  payload: z.union([transferSchema, permitSchema], "is no authorization of EIP-3009 or Permit2"),
});
const bodySchema = z.looseObject({
  paymentPayload: payloadSchema,
  paymentRequirements: requirementsSchema,
});

/**
 * Reads a body of `/verify` or `/settle`. Everything that is read as a number later is looked at here: what is malformed is
 * the client's mistake, and nothing is asked of the endpoint for it. @throws BadSubmissionError naming the field
 */
export function parsePaymentRequest(body: unknown): PaymentRequest {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadSubmissionError(issue?.path.join(".") || "body", issue?.message ?? "malformed");
  }
  const { paymentPayload, paymentRequirements } = parsed.data;
  return {
    payload: paymentPayload as unknown as PaymentPayload,
    requirements: paymentRequirements as unknown as PaymentRequirements,
    ...authorizationOf(paymentPayload.payload),
  };
}

function authorizationOf(
  payload: z.output<typeof transferSchema> | z.output<typeof permitSchema>,
): Pick<PaymentRequest, "payer" | "key" | "amount"> {
  if ("permit2Authorization" in payload) {
    const { from, nonce, permitted } = payload.permit2Authorization as z.output<
      typeof permitSchema
    >["permit2Authorization"];
    const key = `permit2 ${from} ${BigInt(nonce)}`;
    return { payer: from, key: key.toLowerCase(), amount: BigInt(permitted.amount) };
  }
  const { from, nonce, value } = payload.authorization as z.output<
    typeof transferSchema
  >["authorization"];
  return { payer: from, key: `transfer ${from} ${nonce}`.toLowerCase(), amount: BigInt(value) };
}
