import type { Hex } from "viem";
import { z } from "zod";

/** What queries of the routes here have in common. */

const MILLISECONDS = 1000;

export const integer = (maximum: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, "must be an integer")
    .transform(Number)
    .pipe(z.number().max(maximum, `must be at most ${maximum}`));

/** unix seconds */
export const time = integer(2 ** 48 - 1)
  .transform(BigInt)
  .optional();

export const now = (): bigint => BigInt(Math.floor(Date.now() / MILLISECONDS));

/** `0x` and so many hex digits, in lower case */
export const hexOf = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${digits}}$`), `must be 0x and ${digits} hex digits`)
    .transform((text) => text.toLowerCase() as Hex);

/** `next` of the answer before: block and place in it, behind which the next one begins */
export const place = z
  .string()
  .regex(/^[0-9]{1,15}-[0-9]{1,9}$/, "must be what an answer had as next")
  .transform((text) => text.split("-").map(Number) as [number, number])
  .optional();

/** The answer to a query that is refused: which part of it, and why. */
export function refusal(error: z.ZodError): { error: string } {
  const [issue] = error.issues;
  return { error: `${issue?.path.join(".")}: ${issue?.message}` };
}
