import type { Channel } from "@haca/protocol/channels";
import { getAddress } from "ethers";
import type { Database, Row } from "../storage/database.ts";

/** What a gateway asks to give back of a channel. */
export type RefundOrder = {
  channelId: string;
  channel: Channel;
  /** rises with each order for the channel */
  number: bigint;
  /** smallest units that stay in the channel at least */
  kept: bigint;
  /** of the rest; null: all of it */
  most: bigint | null;
};

export type RefundState = "open" | "sent" | "mined" | "done" | "refused";
/** What became of an order. */
export type Refund = { state: RefundState; transaction: string | null; error: string | null };

const ADD = `INSERT INTO channel_refunds (
  channel_id, number, gate, payer, payer_authorizer, token, withdraw_delay, salt, kept, most
) VALUES ($1, $2::bigint, $3, $4, $5, $6, $7::bigint, $8, $9::numeric, $10::numeric)
ON CONFLICT (channel_id) DO UPDATE SET
  number = EXCLUDED.number, kept = EXCLUDED.kept, most = EXCLUDED.most, state = 'open',
  transaction_hash = NULL, mined_block = NULL, error = NULL, look_after = now(), ordered_at = now()
WHERE channel_refunds.number < EXCLUDED.number AND channel_refunds.state IN ('done', 'refused')`;
const READ = `SELECT number::text, state, transaction_hash, error FROM channel_refunds WHERE channel_id = $1`;

/** For how long nothing is sent of an order before it is over: its channel pays for nothing meanwhile. */
const OPEN_SECONDS = 600;
const EXPIRE = `UPDATE channel_refunds SET state = 'refused', error = 'it could not be sent in time'
WHERE state = 'open' AND ordered_at <= now() - make_interval(secs => $1) AND ($2::text IS NULL OR channel_id = $2)
RETURNING channel_id`;

/** Ends orders of which nothing could be sent for too long, of all channels or one. Returns their channels. */
export async function expireRefunds(parameters: {
  database: Database;
  channelId?: string;
}): Promise<string[]> {
  const { channelId, database } = parameters;
  const rows = await database.query(EXPIRE, [OPEN_SECONDS, channelId ?? null]);
  return rows.map((row) => row.channel_id as string);
}

/** Takes an order in, once, and says what became of it. One that comes while another is under way is refused, as is an older one. */
export async function addRefund(parameters: {
  database: Database;
  order: RefundOrder;
}): Promise<Refund> {
  const { database, order } = parameters;
  const { channel, channelId, kept, most, number } = order;
  const { payer, payerAuthorizer, receiver, salt, token, withdrawDelay } = channel;
  // Also where no process sends any more.
  await expireRefunds({ database, channelId });
  await database.query(ADD, [
    ...[channelId, String(number), receiver, payer, payerAuthorizer, token],
    ...[String(withdrawDelay), salt, String(kept), most === null ? null : String(most)],
  ]);
  const [row] = await database.query(READ, [channelId]);
  if (row !== undefined && BigInt(row.number as string) === number) return refundOf(row);
  const error = "another refund of the channel is under way, or came after this one";
  return { state: "refused", transaction: null, error };
}

const refundOf = (row: Row): Refund => ({
  state: row.state as RefundState,
  transaction: row.transaction_hash as string | null,
  error: row.error as string | null,
});

/** An order that is to be looked at. */
export type DueRefund = RefundOrder & Refund & { minedBlock: number | null };

const LEASE = `UPDATE channel_refunds
SET look_after = now() + make_interval(secs => $1)
WHERE channel_id IN (
  SELECT channel_id FROM channel_refunds
  WHERE state IN ('open', 'sent', 'mined') AND look_after <= now()
  ORDER BY look_after
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING channel_id, number::text, gate, payer, payer_authorizer, token, withdraw_delay::text, salt, kept::text,
  most::text, state, transaction_hash, mined_block::text, error`;

/** Orders that it is time to look at; nobody else does for so long. */
export async function leaseRefunds(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<DueRefund[]> {
  const { database, limit, restSeconds } = parameters;
  const rows = await database.query(LEASE, [restSeconds, limit]);
  return rows.map((row) => {
    const address = (name: string): string => getAddress(row[name] as string);
    const gate = address("gate");
    return {
      ...{ channelId: row.channel_id as string, number: BigInt(row.number as string) },
      channel: {
        ...{ payer: address("payer"), payerAuthorizer: address("payer_authorizer") },
        ...{ receiver: gate, receiverAuthorizer: gate, token: address("token") },
        ...{ withdrawDelay: BigInt(row.withdraw_delay as string), salt: row.salt as string },
      },
      kept: BigInt(row.kept as string),
      most: row.most === null ? null : BigInt(row.most as string),
      ...refundOf(row),
      minedBlock: row.mined_block === null ? null : Number(row.mined_block),
    };
  });
}

const MOVE = `UPDATE channel_refunds
SET state = $4, transaction_hash = coalesce($5, transaction_hash), mined_block = coalesce($6::bigint, mined_block), error = $7,
  look_after = coalesce(now() + make_interval(secs => $8::double precision), look_after)
WHERE channel_id = $1 AND number = $2::bigint AND state = $3
RETURNING channel_id`;

/** Moves an order from the state in which it was seen. False where it is in another by now. */
export async function moveRefund(parameters: {
  database: Database;
  due: Pick<DueRefund, "channelId" | "number">;
  from: RefundState;
  to: RefundState;
  transaction?: string;
  minedBlock?: number;
  error?: string;
  /** for how long nobody looks at it from now; absent: as leased */
  restSeconds?: number;
}): Promise<boolean> {
  const { database, due, error, from, minedBlock, restSeconds, to, transaction } = parameters;
  const rows = await database.query(MOVE, [
    ...[due.channelId, String(due.number), from, to, transaction ?? null],
    ...[minedBlock === undefined ? null : String(minedBlock), error ?? null, restSeconds ?? null],
  ]);
  return rows.length > 0;
}

/** A transaction without its hash here was recorded after the order, and before the process that noted it died. */
const ATTEMPTS = `SELECT a.hash
FROM channel_refunds r
JOIN transactions t ON t.purpose = $3
JOIN attempts a ON a.transaction_id = t.id
WHERE r.channel_id = $1 AND r.number = $2::bigint AND (
  r.ordered_at <= (SELECT min(signed_at) FROM attempts WHERE transaction_id = t.id)
  OR r.transaction_hash IN (SELECT hash FROM attempts WHERE transaction_id = t.id)
)
ORDER BY a.replaced_at DESC NULLS FIRST`;

/** Every attempt of what was recorded for an order, the current one first: with higher fees it has another hash. */
export async function attemptsOf(parameters: {
  database: Database;
  due: Pick<DueRefund, "channelId" | "number">;
  purpose: string;
}): Promise<string[]> {
  const { database, due, purpose } = parameters;
  const rows = await database.query(ATTEMPTS, [due.channelId, String(due.number), purpose]);
  return rows.map(({ hash }) => hash as string);
}

const SUM = `SELECT coalesce(sum(j.price), 0)::text AS sum
FROM channel_results r JOIN jobs j ON j.request_id = r.request_id
WHERE r.channel_id = $1 AND r.state <> 'none'`;

/** The prices of all results of a channel that this queue has, and that count or may. */
export async function pricesOf(parameters: {
  database: Database;
  channelId: string;
}): Promise<bigint> {
  const [row] = await parameters.database.query(SUM, [parameters.channelId]);
  return BigInt(String(row?.sum ?? 0));
}
