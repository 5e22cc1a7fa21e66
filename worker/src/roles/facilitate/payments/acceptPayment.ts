import { randomBytes } from "node:crypto";
import type { Database } from "../../../storage/database.ts";
import { isCommerce } from "./findOpening.ts";
import { type Payment, paymentOf, SELECT_PAYMENT } from "./payment.ts";
import type { PaymentCall } from "./paymentProtocol.ts";
import type { PaymentMethod, PaymentRequest } from "./paymentRequest.ts";

/** Any constant: with the payer's hash, the key of the lock under which payments of one payer are accepted in turn. */
const PAYER_LOCK = 4_919_035;
/** The one that is being settled, or was, where there are two. */
const OF_AUTHORIZATION = `WHERE p.method = ANY($1::text[]) AND p.payer = $2 AND p.nonce = $3
ORDER BY p.state = 'failed' LIMIT 1`;
const RESERVED = `SELECT coalesce(sum(amount), 0)::text AS amount FROM payments
WHERE payer = $1 AND state IN ('accepted', 'sent') AND coalesce(token, $2) = $2`;
/** One that failed can be brought again, and is the same job: what was mined of it has not paid. */
const ACCEPT = `INSERT INTO payments (
  job_id, method, payer, nonce, content_hash, scheme, receiver, amount, valid_until, target, calldata, accepted_block,
  token
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (method, payer, nonce) DO UPDATE
SET content_hash = EXCLUDED.content_hash, scheme = EXCLUDED.scheme, receiver = EXCLUDED.receiver,
    amount = EXCLUDED.amount, valid_until = EXCLUDED.valid_until, target = EXCLUDED.target,
    calldata = EXCLUDED.calldata, accepted_block = EXCLUDED.accepted_block, token = EXCLUDED.token,
    state = 'accepted', transaction_id = NULL,
    transaction_hash = NULL, block_number = NULL, block_hash = NULL, finalised_at = NULL, failure = NULL,
    last_error = NULL, run_after = now(), updated_at = now()
WHERE payments.state = 'failed'`;

const METHODS: readonly PaymentMethod[] = ["transfer", "permit2"];
const keyOf = ({ method, nonce, payer }: PaymentRequest): string[] => [
  method,
  payer.toLowerCase(),
  nonce.toString(),
];

/** The payment that was accepted under the authorization of a request. */
export async function findPaymentOf(parameters: {
  database: Pick<Database, "query">;
  request: PaymentRequest;
}): Promise<Payment | undefined> {
  const { database, request } = parameters;
  const [method, ...rest] = keyOf(request);
  // The number of a payment into the public escrow is its hash: by whichever form it is brought, it opens one job.
  const methods = isCommerce(request.requirements) ? METHODS : [method];
  const values = [methods, ...rest];
  const [row] = await database.query(`${SELECT_PAYMENT} ${OF_AUTHORIZATION}`, values);
  return row && paymentOf(row);
}

/**
 * Accepts a payment that was verified; on disk when this returns. Returns the payment that is there already where its
 * authorization is being settled, or was; undefined where the payer's balance does not cover it beside everything else of
 * theirs in the same token that is under way, so that not all of it could be mined.
 */
export async function acceptPayment(parameters: {
  database: Database;
  request: PaymentRequest;
  call: PaymentCall;
  /** of the payer in the payment's token, at a block that is no older than `head` */
  balance: bigint;
  /** head of the chain before the payment was verified */
  head: number;
}): Promise<Payment | undefined> {
  const { balance, call, database, head, request } = parameters;
  const { amount, contentHash, receiver, requirements, validUntil } = request;
  const payer = request.payer.toLowerCase();
  const token = requirements.asset.toLowerCase();
  return await database.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [PAYER_LOCK, payer]);
    const existing = await findPaymentOf({ database: tx, request });
    if (existing !== undefined && existing.state !== "failed") return existing;
    const [reserved] = await tx.query(RESERVED, [payer, token]);
    if (balance < BigInt(reserved?.amount as string) + amount) return undefined;
    await tx.query(ACCEPT, [
      ...[`payment-${randomBytes(32).toString("hex")}`, ...keyOf(request), contentHash],
      ...[requirements.scheme, receiver.toLowerCase(), amount.toString()],
      ...[validUntil.toString(), call.to, call.data, head, token],
    ]);
    return await findPaymentOf({ database: tx, request });
  });
}
