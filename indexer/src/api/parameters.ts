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

/** The answer to a query that is refused: which part of it, and why. */
export function refusal(error: z.ZodError): { error: string } {
  const [issue] = error.issues;
  return { error: `${issue?.path.join(".")}: ${issue?.message}` };
}
