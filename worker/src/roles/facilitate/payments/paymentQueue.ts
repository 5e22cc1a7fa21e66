import type { Database } from "../../../storage/database.ts";
import { type Payment, type PaymentState, paymentOf, SELECT_PAYMENT } from "./payment.ts";

/** A payment by the id of its job. */
export async function findPayment(parameters: {
  database: Database;
  jobId: string;
}): Promise<Payment | undefined> {
  const { database, jobId } = parameters;
  const [row] = await database.query(`${SELECT_PAYMENT} WHERE p.job_id = $1`, [jobId]);
  return row && paymentOf(row);
}

const LIST_UNSENT = `${SELECT_PAYMENT}
WHERE p.state = 'accepted' AND p.run_after <= now()
ORDER BY p.run_after, p.id
LIMIT $1`;
const LIST_SENT = `${SELECT_PAYMENT}
WHERE p.state = 'sent' AND p.run_after <= now()
ORDER BY t.nonce
LIMIT $1`;

/**
 * Payments that are under way and due: those to be sent, which rested longest, and those that were, in the order in which
 * they are mined. Neither keeps the others out, however many there are.
 */
export async function listDuePayments(parameters: {
  database: Database;
  limits: { unsent: number; sent: number };
}): Promise<Payment[]> {
  const { database, limits } = parameters;
  const unsent = await database.query(LIST_UNSENT, [limits.unsent]);
  const sent = await database.query(LIST_SENT, [limits.sent]);
  return [...unsent, ...sent].map(paymentOf);
}

/** What was mined, and what it means for a payment; `failed` without a block where nothing was sent for it. */
export type PaymentOutcome =
  | { state: "settled"; mined: MinedBlock }
  | { state: "failed"; failure: string; mined?: MinedBlock };
/** The transaction that was mined, and its block; `gasUsed` where it is the account's own. */
export type MinedBlock = {
  hash: string;
  blockNumber: number;
  blockHash: string;
  gasUsed?: bigint;
};

const MARK_MINED = `UPDATE attempts SET block_number = $2, block_hash = $3, gas_used = $4
WHERE hash = $1 AND block_number IS NULL`;
const DECIDE = `UPDATE payments
SET state = $3, failure = $4, transaction_hash = $5, block_number = $6, block_hash = $7, last_error = NULL,
    updated_at = now()
WHERE id = $1 AND state IN ('accepted', 'sent') AND transaction_id IS NOT DISTINCT FROM $2`;

/** accepted or sent -> settled or failed. Does nothing where the payment has gone on since it was read. */
export async function decidePayment(parameters: {
  database: Database;
  payment: Payment;
  outcome: PaymentOutcome;
}): Promise<void> {
  const { database, outcome, payment } = parameters;
  const { mined, state } = outcome;
  const failure = outcome.state === "failed" ? outcome.failure : null;
  await database.transaction(async (tx) => {
    if (mined?.gasUsed !== undefined) {
      const { blockHash, blockNumber, gasUsed, hash } = mined;
      await tx.query(MARK_MINED, [hash, blockNumber, blockHash, gasUsed.toString()]);
    }
    await tx.query(DECIDE, [
      ...[payment.id, payment.transaction?.id ?? null, state, failure],
      ...[mined?.hash ?? null, mined?.blockNumber ?? null, mined?.blockHash ?? null],
    ]);
  });
}

const UNSEND = `UPDATE payments
SET state = 'accepted', transaction_id = NULL, last_error = $3, updated_at = now()
WHERE id = $1 AND transaction_id = $2 AND state = 'sent'`;

/** sent -> accepted: no attempt of its transaction can be mined any more, because another one has taken the nonce. */
export async function unsendPayment(parameters: {
  database: Database;
  payment: Payment;
}): Promise<void> {
  const { database, payment } = parameters;
  const reason = "another transaction of the account took the nonce";
  await database.query(UNSEND, [payment.id, payment.transaction?.id ?? null, reason]);
}

const REST = `UPDATE payments SET last_error = $2, run_after = now() + make_interval(secs => $3) WHERE id = $1`;

/** Notes why a payment cannot go on, and lets it rest: others can. */
export async function restPayment(parameters: {
  database: Database;
  id: string;
  error: string;
  seconds: number;
}): Promise<void> {
  const { database, error, id, seconds } = parameters;
  await database.query(REST, [id, error, seconds]);
}

const TELL = `UPDATE payments SET told_at = now()
WHERE id = $1 AND state = 'settled' AND told_at IS NULL
RETURNING id`;

/** Whether the caller is the one who tells a client of a payment's success: nobody was told before, nobody is after. */
export async function claimTelling(parameters: {
  database: Database;
  id: string;
}): Promise<boolean> {
  return (await parameters.database.query(TELL, [parameters.id])).length === 1;
}

const PROMISE = "UPDATE payments SET is_promised = true WHERE id = $1 RETURNING id";
/** Where no transaction was recorded and nobody was given its id. */
const WITHDRAW = `DELETE FROM payments
WHERE id = $1 AND state = 'accepted' AND transaction_id IS NULL AND NOT is_promised
RETURNING id`;

/** Notes that somebody is given the id of a payment's job: it stays from then on. False where it is gone. */
export async function promisePayment(parameters: {
  database: Database;
  id: string;
}): Promise<boolean> {
  return (await parameters.database.query(PROMISE, [parameters.id])).length === 1;
}

/** Forgets a payment of which nothing was sent or promised. Returns whether it was so. */
export async function withdrawPayment(parameters: {
  database: Database;
  id: string;
}): Promise<boolean> {
  return (await parameters.database.query(WITHDRAW, [parameters.id])).length === 1;
}

const COUNT = `SELECT state, count(*)::integer AS payments,
  extract(epoch FROM now() - min(accepted_at))::double precision AS oldest
FROM payments
GROUP BY state`;

/** How many payments are in each state, and the age of the oldest that is under way; 0 without one. */
export async function countPayments(parameters: {
  database: Database;
}): Promise<{ states: Record<PaymentState, number>; oldestSeconds: number }> {
  const states = { accepted: 0, sent: 0, settled: 0, failed: 0 };
  let oldestSeconds = 0;
  for (const { oldest, payments, state } of await parameters.database.query(COUNT)) {
    states[state as PaymentState] = Number(payments);
    const isOpen = state === "accepted" || state === "sent";
    if (isOpen) oldestSeconds = Math.max(oldestSeconds, Number(oldest));
  }
  return { states, oldestSeconds };
}
