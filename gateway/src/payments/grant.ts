import { commerceJobTextSchema } from "@haca/protocol/commerceJobText";
import { z } from "zod";
import type { HeldPayment } from "../profile/signAnswer.ts";
import { ROUTES } from "./payment.ts";

/**
 * opening: noted before anybody was asked to take the money; granted: it is held, or was transferred; answered: the result is
 * with the worker; failed: there was no answer, the money is to go back; ended: the worker sees to that. A grant of the route
 * `exact`, whose money is gone, stays granted until there is an answer.
 */
export const GRANT_STATES = ["opening", "granted", "answered", "failed", "ended"] as const;

export const grantSchema = z.strictObject({
  /** of route, payer and nonce, of which there is one grant */
  id: z.string(),
  route: z.enum(ROUTES),
  payer: z.string(),
  nonce: z.string(),
  amount: z.string(),
  requestHash: z.string(),
  /** of the signed payment: another under the same nonce is another's */
  contentHash: z.string(),
  /** last second in which the payment can be used, in unix seconds */
  validUntil: z.string(),
  /** of the route `commerce` alone: what the public escrow holds it for */
  job: commerceJobTextSchema.optional(),
  /** how the payer has named its request: hash of the name, which request it is, and its salt, the latter two hidden by it */
  named: z.strictObject({ by: z.string(), same: z.string(), salt: z.string() }).optional(),
  /** for a sealed request, which has an answer as long as there is its key */
  isSealed: z.literal(true).optional(),
  /** that the payer's own key has signed it is not known: a contract's word, or anybody's */
  isUnsigned: z.literal(true).optional(),
  state: z.enum(GRANT_STATES),
  /** that took the money; null while that is not known */
  transaction: z.string().nullable(),
  /** when it began, in unix milliseconds */
  at: z.number(),
});

/** A payment that one request is answered for. */
export type Grant = z.output<typeof grantSchema>;

/** Whether nothing is known to be taken for it. */
export const isUnpaid = (
  grant: Grant | undefined,
): grant is undefined | (Grant & { state: "opening" }) =>
  grant === undefined || grant.state === "opening";

/** Whether its request had no answer, so that its money goes back, or has gone. */
export const isGivenBack = ({ state }: Grant): boolean => state === "failed" || state === "ended";

/** What holds a grant's money until there is a result, as the worker takes it; undefined where nothing does. */
export function heldBy({ job, nonce, payer, route, validUntil }: Grant): HeldPayment | undefined {
  if (route === "escrow") return { payer, nonce, validUntil };
  return job === undefined ? undefined : { job };
}
