import { getAddress } from "ethers";
import { z } from "zod";

/** Signatures of the longest keys that are known have 512 bytes. */
const MAXIMUM_SIGNATURE_DIGITS = 2 * 1_024;

const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
  .toLowerCase();
const uint = (bits: number) =>
  z
    .string("must be a decimal number, as text")
    .regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal number")
    .transform(BigInt)
    .refine((value) => value < 1n << BigInt(bits), `must be below 2^${bits}`);

/** A result and whoever answered's signature of it, as JSON has them: numbers are decimal text. */
export const signedMessageShape = {
  message: z.strictObject({
    modelVersion: word,
    inputHash: word,
    outputHash: word,
    requester: z.string().transform((text, context) => {
      try {
        return getAddress(text);
      } catch {
        context.addIssue("must be an address");
        return z.NEVER;
      }
    }),
    requestId: word,
    price: uint(256),
    timestamp: uint(64),
    teeId: word,
  }),
  signature: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})+$/, "must be 0x and hex digits, two a byte")
    .max(2 + MAXIMUM_SIGNATURE_DIGITS, "is longer than any signature")
    .toLowerCase(),
};
