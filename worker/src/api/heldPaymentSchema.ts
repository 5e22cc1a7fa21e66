import { getAddress, isAddress } from "ethers";
import { z } from "zod";

const uint = z
  .string()
  .regex(/^\d{1,78}$/, { error: "must be a decimal number of 78 digits at most", abort: true })
  .transform(BigInt)
  .refine((value) => value < 1n << 256n, "must be below 2^256");

/** A permit by which the escrow holds what a request costs. */
export const heldPaymentSchema = z.strictObject({
  payer: z
    .string()
    .refine((text) => isAddress(text), "must be an address")
    .transform((text) => getAddress(text)),
  nonce: uint,
  /** unix seconds */
  validUntil: uint,
});
