import type { Row } from "../../src/storage/database.ts";

/** What a facilitator can die right after, of a payment's plain life, in their order. */
export const PAYMENT_LIFE = [
  "accepted",
  "promised",
  "sent",
  "broadcast",
  "settled",
  "told",
] as const;
/** And of payments in trouble. */
export const PAYMENT_TROUBLE = [
  "replaced",
  "replacementSent",
  "unsent",
  "failed",
  "acceptedAgain",
  "reopened",
  "withdrawn",
  "final",
] as const;
export const PAYMENT_TRANSITIONS = [...PAYMENT_LIFE, ...PAYMENT_TROUBLE] as const;
export type PaymentTransition = (typeof PAYMENT_TRANSITIONS)[number];

/** What the database holds of payments, as far as transitions show in it. */
export const PAYMENTS = `SELECT p.id::text, p.state, p.is_promised, p.told_at, p.finalised_at,
  (SELECT count(*)::integer FROM attempts a WHERE a.transaction_id = p.transaction_id) AS attempts
FROM payments p`;

export const paymentsOf = (rows: Row[]): ReadonlyMap<unknown, Row> =>
  new Map(rows.map((row) => [row.id, row]));

/** The transitions that lie between two looks at the database, whatever statement made them. */
export function paymentTransitionsBetween(
  before: ReadonlyMap<unknown, Row>,
  after: ReadonlyMap<unknown, Row>,
): PaymentTransition[] {
  const found: PaymentTransition[] = [];
  for (const [id, payment] of after) {
    const earlier = before.get(id);
    if (earlier === undefined) found.push("accepted");
    else if (earlier.state !== payment.state) found.push(changeOf(earlier, payment));
    else if (earlier.is_promised !== payment.is_promised) found.push("promised");
    else if (earlier.told_at === null && payment.told_at !== null) found.push("told");
    else if (earlier.finalised_at === null && payment.finalised_at !== null) found.push("final");
    else if (Number(payment.attempts) > Number(earlier.attempts)) found.push("replaced");
  }
  for (const id of before.keys()) if (!after.has(id)) found.push("withdrawn");
  return found;
}

function changeOf(earlier: Row, payment: Row): PaymentTransition {
  if (payment.state !== "accepted" && payment.state !== "sent") {
    return payment.state as PaymentTransition;
  }
  if (earlier.state === "settled") return "reopened";
  if (payment.state === "sent") return earlier.state === "accepted" ? "sent" : "reopened";
  return earlier.state === "sent" ? "unsent" : "acceptedAgain";
}
