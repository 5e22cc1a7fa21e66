import { type ChannelVoucher, channelIdOf } from "@haca/protocol/channels";
import { getAddress } from "ethers";
import type { Database } from "../storage/database.ts";

/** In the order of their ids, so that two that come at the same time cannot wait for each other. */
const ADD = `INSERT INTO channels (
  channel_id, gate, payer, payer_authorizer, token, withdraw_delay, salt, amount, signature
)
SELECT channel_id, gate, payer, payer_authorizer, token, withdraw_delay::bigint, salt, amount::numeric, signature
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]
) AS given (channel_id, gate, payer, payer_authorizer, token, withdraw_delay, salt, amount, signature)
ORDER BY channel_id
ON CONFLICT (channel_id) DO UPDATE SET amount = EXCLUDED.amount, signature = EXCLUDED.signature
WHERE channels.amount < EXCLUDED.amount`;
const ADD_RESULTS = `INSERT INTO channel_results (request_id, channel_id, state)
SELECT request_id, channel_id, state FROM unnest($1::text[], $2::text[], $3::text[]) AS given (request_id, channel_id, state)
ORDER BY request_id
ON CONFLICT (request_id) DO NOTHING`;

/** A voucher, and the id of its channel. */
export type KnownVoucher = ChannelVoucher & { channelId: string };

export const knownVoucher = (voucher: ChannelVoucher, chainId: bigint): KnownVoucher => ({
  ...voucher,
  channelId: channelIdOf({ chainId, channel: voucher.channel }),
});

/**
 * Notes the vouchers that came with results; of each channel the highest stays. A result waits for what becomes of its job, and
 * is opened with that; of a job that was there before, something may have become already.
 */
export async function addVouchers(parameters: {
  database: Pick<Database, "query">;
  jobs: readonly { requestId: string; voucher?: KnownVoucher }[];
  /** requests whose jobs come into the queue in this transaction */
  added: ReadonlySet<string>;
}): Promise<void> {
  const { added, database, jobs } = parameters;
  const paid = jobs.flatMap(({ requestId, voucher }) => (voucher ? [{ requestId, voucher }] : []));
  if (paid.length === 0) return;
  const highest = new Map<string, KnownVoucher>();
  for (const { voucher } of paid) {
    const { channelId, maxClaimableAmount } = voucher;
    const known = highest.get(channelId)?.maxClaimableAmount ?? -1n;
    if (known < maxClaimableAmount) highest.set(channelId, voucher);
  }
  const rows = [...highest.values()].map(
    ({ channel, channelId, maxClaimableAmount, signature }) => {
      const { payer, payerAuthorizer, receiver, salt, token, withdrawDelay } = channel;
      const addresses = [receiver, payer, payerAuthorizer, token].map((text) => text.toLowerCase());
      const numbers = [withdrawDelay, salt, maxClaimableAmount].map(String);
      return [channelId, ...addresses, ...numbers, signature];
    },
  );
  await database.query(ADD, columnsOf(rows));
  const results = paid.map(({ requestId, voucher }) => {
    const state = added.has(requestId) ? "waiting" : "open";
    return [requestId, voucher.channelId, state];
  });
  await database.query(ADD_RESULTS, columnsOf(results));
}

/** What `unnest` takes, of rows of one length. */
const columnsOf = (rows: readonly string[][]): string[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ""));

/** A result that is to be counted for its channel, and is settled or never will be. */
export type DueResult = {
  requestId: string;
  channelId: string;
  gate: string;
  /** settled alone, or in the final page; none: nothing of it counts any more */
  settled: "alone" | "none" | { pageId: string };
};

const LEASE_RESULTS = `UPDATE channel_results
SET look_after = now() + make_interval(secs => $1)
FROM jobs j
LEFT JOIN pages g ON g.page_id = j.page_id
WHERE channel_results.request_id IN (
  SELECT r.request_id FROM channel_results r JOIN jobs d ON d.request_id = r.request_id
  WHERE r.state = 'open' AND r.look_after <= now() AND d.state IN ('settled', 'failed')
  ORDER BY r.look_after
  LIMIT $2
  FOR UPDATE OF r SKIP LOCKED
) AND j.request_id = channel_results.request_id
RETURNING channel_results.request_id, channel_results.channel_id, j.state, g.page_id, g.state AS page_state,
  (SELECT gate FROM channels c WHERE c.channel_id = channel_results.channel_id) AS gate`;

/** Results that it is time to count; nobody else does for so long, whatever becomes of this process. */
export async function leaseResults(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<DueResult[]> {
  const { database, limit, restSeconds } = parameters;
  const rows = await database.query(LEASE_RESULTS, [restSeconds, limit]);
  return rows.map((row) => ({
    requestId: row.request_id as string,
    channelId: row.channel_id as string,
    gate: getAddress(row.gate as string),
    settled: settledAs(row),
  }));
}

function settledAs(row: Record<string, unknown>): DueResult["settled"] {
  const { page_id: pageId, page_state: page, state } = row;
  if (state === "failed" || page === "disproved") return "none";
  return page === "final" || page === "released" ? { pageId: pageId as string } : "alone";
}

/**
 * What is counted is claimed a while later, with what is counted until then. The channels are locked in the order of their ids, as
 * where they are added, before anything else.
 */
const END_RESULTS = `WITH locked AS (
  SELECT channel_id FROM channels
  WHERE channel_id IN (SELECT channel_id FROM channel_results WHERE request_id = ANY ($1::text[]))
  ORDER BY channel_id
  FOR UPDATE
), ended AS (
  UPDATE channel_results SET state = $2
  WHERE request_id = ANY ($1::text[]) AND state = 'open' AND channel_id IN (SELECT channel_id FROM locked)
  RETURNING channel_id
)
UPDATE channels
SET counts = counts + 1, is_claimed = is_claimed AND $2 <> 'counted',
    unclaimed_since = CASE WHEN is_claimed THEN now() ELSE unclaimed_since END,
    look_after = CASE WHEN is_claimed THEN now() + make_interval(secs => $3) ELSE look_after END
WHERE channel_id IN (SELECT channel_id FROM ended)`;

/** Notes that results are counted, or never will be. */
export async function endResults(parameters: {
  database: Database;
  requestIds: readonly string[];
  end: "counted" | "none";
  /** after which what was counted is claimed */
  claimSeconds: number;
}): Promise<void> {
  const { claimSeconds, database, end, requestIds } = parameters;
  await database.query(END_RESULTS, [[...requestIds], end, claimSeconds]);
}

const REFUSE_RESULTS = `UPDATE channel_results r
SET refused_at = coalesce(r.refused_at, now()), look_after = now() + make_interval(secs => $2),
    state = CASE WHEN r.refused_at + make_interval(secs => c.withdraw_delay + $3) <= now() THEN 'none' ELSE 'open' END
FROM channels c
WHERE c.channel_id = r.channel_id AND r.request_id = ANY ($1::text[]) AND r.state = 'open'
RETURNING r.request_id, r.state`;

/**
 * Lets results rest that the gate refuses to count. Where it has done so for longer than the channel's payer has to wait for a
 * withdrawal, they do not count any more. Returns these.
 */
export async function refuseResults(parameters: {
  database: Database;
  requestIds: readonly string[];
  restSeconds: number;
  /** on top of the channel's delay of withdrawals */
  marginSeconds: number;
}): Promise<string[]> {
  const { database, marginSeconds, requestIds, restSeconds } = parameters;
  const rows = await database.query(REFUSE_RESULTS, [[...requestIds], restSeconds, marginSeconds]);
  return rows.flatMap((row) => (row.state === "none" ? [row.request_id as string] : []));
}

/** A channel of which something may be to be claimed, with its highest voucher. */
export type DueChannel = KnownVoucher & { counts: number };

const LEASE_CHANNELS = `UPDATE channels
SET look_after = now() + make_interval(secs => $1)
WHERE channel_id IN (
  SELECT channel_id FROM channels WHERE NOT is_claimed AND look_after <= now()
  ORDER BY look_after
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING channel_id, gate, payer, payer_authorizer, token, withdraw_delay::text, salt, amount::text, signature, counts`;

/** Channels that it is time to claim of; nobody else does for so long. */
export async function leaseChannels(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<DueChannel[]> {
  const { database, limit, restSeconds } = parameters;
  const rows = await database.query(LEASE_CHANNELS, [restSeconds, limit]);
  return rows.map((row) => {
    const address = (name: string): string => getAddress(row[name] as string);
    const gate = address("gate");
    return {
      channelId: row.channel_id as string,
      channel: {
        ...{ payer: address("payer"), payerAuthorizer: address("payer_authorizer") },
        ...{ receiver: gate, receiverAuthorizer: gate, token: address("token") },
        withdrawDelay: BigInt(row.withdraw_delay as string),
        salt: row.salt as string,
      },
      maxClaimableAmount: BigInt(row.amount as string),
      signature: row.signature as string,
      counts: row.counts as number,
    };
  });
}

const END_CLAIM = `UPDATE channels SET is_claimed = true, last_error = NULL
WHERE channel_id = $1 AND counts = $2`;

/** Notes that nothing waits to be claimed of a channel, unless something was counted since it was read. */
export async function endClaim(parameters: {
  database: Database;
  channel: DueChannel;
}): Promise<void> {
  const { channel, database } = parameters;
  await database.query(END_CLAIM, [channel.channelId, channel.counts]);
}

const REST_CHANNELS = `UPDATE channels SET last_error = $2, look_after = now() + make_interval(secs => $3)
WHERE channel_id = ANY ($1::text[])`;

/** Notes why nothing can be claimed of channels now, and lets them rest. */
export async function restChannels(parameters: {
  database: Database;
  channelIds: readonly string[];
  error: string;
  seconds: number;
}): Promise<void> {
  const { channelIds, database, error, seconds } = parameters;
  await database.query(REST_CHANNELS, [[...channelIds], error, seconds]);
}
