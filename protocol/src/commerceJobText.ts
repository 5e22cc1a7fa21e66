import { getAddress } from "ethers";
import { z } from "zod";
import { type CommerceJob, commerceSalt } from "./commercePayments.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
/** A decimal number below a power of two, as text. */
export const uint = (bits: number) =>
  z
    .string()
    .regex(/^\d{1,78}$/, { error: "must be a decimal number of 78 digits at most", abort: true })
    .refine((text) => BigInt(text) < 1n << BigInt(bits), `must be below 2^${bits}`);

/** A job as gateways and workers tell each other of it: numbers are decimal text. */
export const commerceJobTextSchema = z
  .strictObject({
    payment: z.strictObject({
      ...{ operator: address, payer: address, receiver: address, token: address },
      ...{ maxAmount: uint(120), preApprovalExpiry: uint(48), authorizationExpiry: uint(48) },
      ...{ refundExpiry: uint(48), minFeeBps: uint(16), maxFeeBps: uint(16) },
      ...{ feeReceiver: address, salt: uint(256) },
    }),
    requestHash: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits"),
    saltNonce: uint(256),
  })
  .refine(
    ({ payment, requestHash, saltNonce }) =>
      commerceSalt({ requestHash, saltNonce: BigInt(saltNonce) }) === BigInt(payment.salt),
    { path: ["payment", "salt"], error: "is not made of requestHash and saltNonce" },
  );

export type CommerceJobText = z.output<typeof commerceJobTextSchema>;

/** The text of a job. */
export function commerceJobText({ payment, requestHash, saltNonce }: CommerceJob): CommerceJobText {
  const texts = Object.entries(payment).map(([name, value]) => [name, String(value)]);
  return { payment: Object.fromEntries(texts), requestHash, saltNonce: String(saltNonce) };
}

/** Of a text in whatever letters: older gateways' ledgers have addresses as payers wrote them. */
const addressOf = (text: string): string => getAddress(text.toLowerCase());

/** The job of a text. */
export function commerceJobOfText({
  payment,
  requestHash,
  saltNonce,
}: CommerceJobText): CommerceJob {
  const { feeReceiver, operator, payer, receiver, token, ...numbers } = payment;
  return {
    payment: {
      ...{ operator: addressOf(operator), payer: addressOf(payer), token: addressOf(token) },
      ...{ receiver: addressOf(receiver), feeReceiver: addressOf(feeReceiver) },
      maxAmount: BigInt(numbers.maxAmount),
      preApprovalExpiry: BigInt(numbers.preApprovalExpiry),
      authorizationExpiry: BigInt(numbers.authorizationExpiry),
      refundExpiry: BigInt(numbers.refundExpiry),
      ...{ minFeeBps: BigInt(numbers.minFeeBps), maxFeeBps: BigInt(numbers.maxFeeBps) },
      salt: BigInt(numbers.salt),
    },
    requestHash,
    saltNonce: BigInt(saltNonce),
  };
}
