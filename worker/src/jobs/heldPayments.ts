import { type CommerceJob, commerceHash } from "@haca/protocol/commercePayments";
import { escrowJobId } from "@haca/protocol/inferenceEscrow";
import { encodeCommerceJob } from "@haca/protocol/operatorCalls";
import { getAddress, ZeroAddress } from "ethers";
import type { Database } from "../storage/database.ts";

/** A permit of a payer, by which the escrow holds what a request costs. */
export type EscrowPayment = {
  payer: string;
  nonce: bigint;
  /** last second in which it opens the job, in unix seconds */
  validUntil: bigint;
};
/** What holds what a request costs: the escrow by a permit, or the public escrow for a job of an operator. */
export type HeldPayment = EscrowPayment | { job: CommerceJob };

/** Who has paid. */
export const payerOf = (payment: HeldPayment): string =>
  "job" in payment ? payment.job.payment.payer : payment.payer;

/** What became of the job of a payment; `none`: it was not opened in time; `returned`: an operator does not say more. */
export type PaymentEnd = "captured" | "refunded" | "cancelled" | "returned" | "none";

/** A payment that it is time to look at. */
export type DuePayment = EscrowPayment & {
  jobId: string;
  /** of commerce payments; null: the escrow holds it */
  operator: string | null;
  /** whether its result is neither settled nor failed */
  isWaiting: boolean;
  /** the settled result that it is for; null where there is none, and unless it waits it goes back */
  requestId: string | null;
  /** the final page that has it; null: it was settled alone */
  pageId: string | null;
  /** the job as callers bring it, encoded; null while it is not known */
  job: string | null;
};

const ADD = `INSERT INTO held_payments (job_id, payer, nonce, valid_until, operator, job, request_id)
VALUES ($1, $2, $3::numeric, $4::numeric, $5, $6, $7)
ON CONFLICT (job_id) DO NOTHING`;

/** Notes a payment, for a result or to go back. What was noted first stays. */
export async function addPayment(parameters: {
  database: Pick<Database, "query">;
  payment: HeldPayment;
  requestId: string | null;
}): Promise<void> {
  const { database, payment, requestId } = parameters;
  await database.query(ADD, [...rowOf(payment), requestId]);
}

/** A job of an operator's is named by its payment alone: nothing beside that makes a second one of it. */
function rowOf(payment: HeldPayment): (string | null)[] {
  if (!("job" in payment)) {
    const { nonce, payer, validUntil } = payment;
    const values = [payer.toLowerCase(), String(nonce), String(validUntil)];
    return [escrowJobId(payment), ...values, null, null];
  }
  const { job } = payment;
  const { operator, payer, preApprovalExpiry, salt } = job.payment;
  const jobId = commerceHash({ chainId: 0n, escrow: ZeroAddress }, job.payment);
  const values = [payer.toLowerCase(), String(salt), String(preApprovalExpiry - 1n)];
  return [jobId, ...values, operator, encodeCommerceJob(job)];
}

/** Those whose job is not known yet, whose result is settled or will never be, or that have none. */
const CLAIM = `UPDATE held_payments
SET look_after = now() + make_interval(secs => $1)
WHERE job_id IN (
  SELECT p.job_id FROM held_payments p
  LEFT JOIN jobs j ON j.request_id = p.request_id
  WHERE p.state = 'open' AND p.look_after <= now() AND (
    p.job IS NULL OR p.request_id IS NULL OR j.state IN ('settled', 'failed')
  )
  ORDER BY p.look_after
  LIMIT $2
  FOR UPDATE OF p SKIP LOCKED
)
RETURNING job_id, payer, nonce::text, valid_until::text, (
  SELECT j.request_id FROM jobs j WHERE j.request_id = held_payments.request_id AND j.state = 'settled'
) AS request_id, (
  SELECT g.page_id FROM jobs j JOIN pages g ON g.page_id = j.page_id
  WHERE j.request_id = held_payments.request_id AND j.state = 'settled' AND g.state IN ('final', 'released')
) AS page_id, EXISTS (
  SELECT 1 FROM jobs j WHERE j.request_id = held_payments.request_id AND j.state NOT IN ('settled', 'failed')
) AS is_waiting, operator, job`;

/** Payments that it is time to look at; nobody else does for so long, whatever becomes of this process. */
export async function claimPayments(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<DuePayment[]> {
  const { database, limit, restSeconds } = parameters;
  const rows = await database.query(CLAIM, [restSeconds, limit]);
  return rows.map((row) => ({
    jobId: row.job_id as string,
    payer: getAddress(row.payer as string),
    nonce: BigInt(row.nonce as string),
    validUntil: BigInt(row.valid_until as string),
    requestId: row.request_id as string | null,
    pageId: row.page_id as string | null,
    isWaiting: row.is_waiting as boolean,
    operator: row.operator as string | null,
    job: row.job as string | null,
  }));
}

/** Of payments of the same payer and holder, for the same request; others at each look. */
const SPARE = `SELECT j.request_id, (
  SELECT g.page_id FROM pages g WHERE g.page_id = j.page_id AND g.state IN ('final', 'released')
) AS page_id
FROM held_payments mine
JOIN jobs own ON own.request_id = mine.request_id
JOIN held_payments p ON p.payer = mine.payer AND p.operator IS NOT DISTINCT FROM mine.operator
JOIN jobs j ON j.request_id = p.request_id AND j.input_hash = own.input_hash
WHERE mine.job_id = $1 AND p.job_id <> mine.job_id AND p.state = 'captured' AND j.state = 'settled'
ORDER BY random()
LIMIT $2`;

/** Settled results of payments that have been captured, whoever did it, and by whichever result: some may have captured none. */
export async function findSpareResults(parameters: {
  database: Database;
  jobId: string;
  limit: number;
}): Promise<Pick<DuePayment, "requestId" | "pageId">[]> {
  const { database, jobId, limit } = parameters;
  const rows = await database.query(SPARE, [jobId, limit]);
  return rows.map((row) => ({
    requestId: row.request_id as string,
    pageId: row.page_id as string | null,
  }));
}

/** Keeps the job of a payment, encoded. */
export async function keepHeldJob(parameters: {
  database: Database;
  jobId: string;
  job: string;
}): Promise<void> {
  const { database, job, jobId } = parameters;
  const statement =
    "UPDATE held_payments SET job = $2, last_error = NULL, look_after = now() WHERE job_id = $1";
  await database.query(statement, [jobId, job]);
}

const END = `UPDATE held_payments SET state = $2, last_error = NULL WHERE job_id = $1 AND state = 'open'
RETURNING job_id`;

/** Notes what became of a payment. Returns whether this call was the first. */
export async function endPayment(parameters: {
  database: Database;
  jobId: string;
  end: PaymentEnd;
}): Promise<boolean> {
  const { database, end, jobId } = parameters;
  return (await database.query(END, [jobId, end])).length === 1;
}

const REST = `UPDATE held_payments SET last_error = $2, look_after = now() + make_interval(secs => $3)
WHERE job_id = $1`;

/** Notes why a payment cannot go on, and lets it rest. */
export async function restHeldPayment(parameters: {
  database: Database;
  jobId: string;
  error: string;
  seconds: number;
}): Promise<void> {
  const { database, error, jobId, seconds } = parameters;
  await database.query(REST, [jobId, error, seconds]);
}

const COUNT = `SELECT CASE WHEN operator IS NULL THEN 'escrow' ELSE 'operator' END AS holder, state, count(*)::integer AS payments
FROM held_payments
GROUP BY 1, 2`;

/** How many payments there are, by who holds their jobs and how these stand. */
export async function countHeldPayments(parameters: {
  database: Database;
}): Promise<{ holder: string; state: string; payments: number }[]> {
  const rows = await parameters.database.query(COUNT);
  return rows.map(({ holder, payments, state }) => ({
    ...{ holder: String(holder), state: String(state), payments: Number(payments) },
  }));
}
