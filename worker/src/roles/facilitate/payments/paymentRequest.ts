import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { BadSubmissionError } from "../facilitatorErrors.ts";

/** What authorises a payment: EIP-3009's `transferWithAuthorization`, or Permit2. */
export type PaymentMethod = "transfer" | "permit2";

/** What a client of x402 brings to have a payment verified or settled. */
export type PaymentRequest = {
  payload: PaymentPayload;
  requirements: PaymentRequirements;
  method: PaymentMethod;
  /** who pays */
  payer: string;
  /** number of the authorization at its payer, under which it pays once, whatever signature it comes with */
  nonce: bigint;
  /** first second in which it does not pay any more, in unix seconds */
  validUntil: bigint;
  /** what is to be paid, in smallest units */
  amount: bigint;
  /** of all that matters: the same brought again has the same */
  contentHash: string;
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
  const { amount, payTo, scheme } = paymentRequirements;
  const content = JSON.stringify([scheme, amount, payTo.toLowerCase(), paymentPayload.payload]);
  return {
    payload: paymentPayload as unknown as PaymentPayload,
    requirements: paymentRequirements as unknown as PaymentRequirements,
    ...authorizationOf(paymentPayload.payload),
    amount: BigInt(amount),
    contentHash: keccak256(toUtf8Bytes(content)),
  };
}

function authorizationOf(
  payload: z.output<typeof transferSchema> | z.output<typeof permitSchema>,
): Pick<PaymentRequest, "method" | "payer" | "nonce" | "validUntil"> {
  if ("permit2Authorization" in payload) {
    const { deadline, from, nonce } = payload.permit2Authorization as z.output<
      typeof permitSchema
    >["permit2Authorization"];
    // Permit2 takes it in the second of its deadline, EIP-3009 does not.
    const validUntil = BigInt(deadline) + 1n;
    return { method: "permit2", payer: from, nonce: BigInt(nonce), validUntil };
  }
  const { from, nonce, validBefore } = payload.authorization as z.output<
    typeof transferSchema
  >["authorization"];
  return { method: "transfer", payer: from, nonce: BigInt(nonce), validUntil: BigInt(validBefore) };
}
