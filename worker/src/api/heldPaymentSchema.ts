import { commerceJobOfText, commerceJobTextSchema } from "@haca/protocol/commerceJobText";
import { getAddress, isAddress } from "ethers";
import { z } from "zod";
import type { HeldPayment } from "../jobs/heldPayments.ts";

const uint = z
  .string()
  .regex(/^\d{1,78}$/, { error: "must be a decimal number of 78 digits at most", abort: true })
  .transform(BigInt)
  .refine((value) => value < 1n << 256n, "must be below 2^256");

/** A permit by which the escrow holds what a request costs. */
const permitSchema = z.strictObject({
  payer: z
    .string()
    .refine((text) => isAddress(text), "must be an address")
    .transform((text) => getAddress(text)),
  nonce: uint,
  /** unix seconds */
  validUntil: uint,
});
/** A job for which the public escrow does. */
const jobSchema = z.strictObject({ job: commerceJobTextSchema.transform(commerceJobOfText) });

/** One or the other: what is wrong with the one that it is to be is told. */
export const heldPaymentSchema = z.unknown().transform((value, context): HeldPayment => {
  const isJob = typeof value === "object" && value !== null && "job" in value;
  const parsed = (isJob ? jobSchema : permitSchema).safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  // As they are: what they say of the kind of mistake is told, too.
  for (const issue of parsed.error.issues) context.issues.push(issue as z.core.$ZodRawIssue);
  return z.NEVER;
});
