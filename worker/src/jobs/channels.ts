import { type ChannelVoucher, channelIdOf } from "@haca/protocol/channels";
import { getAddress } from "ethers";
import type { Database } from "../storage/database.ts";

const ADD = `INSERT INTO channels (
  channel_id, gate, payer, payer_authorizer, token, withdraw_delay, salt, amount, signature
) VALUES ($1, $2, $3, $4, $5, $6::bigint, $7, $8::numeric, $9)
ON CONFLICT (channel_id) DO UPDATE SET amount = EXCLUDED.amount, signature = EXCLUDED.signature
WHERE channels.amount < EXCLUDED.amount`;
const ADD_RESULT = `INSERT INTO channel_results (request_id, channel_id, state) VALUES ($1, $2, $3)
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
  // In the order of their ids, so that two lists that come at the same time cannot wait for each other.
  paid.sort((a, b) => (a.voucher.channelId < b.voucher.channelId ? -1 : 1));
  for (const { requestId, voucher } of paid) {
    const { channel, channelId, maxClaimableAmount, signature } = voucher;
    const { payer, payerAuthorizer, receiver, salt, token, withdrawDelay } = channel;
    const addresses = [receiver, payer, payerAuthorizer, token].map((text) => text.toLowerCase());
    await database.query(ADD, [
      ...[channelId, ...addresses, String(withdrawDelay), salt],
      ...[String(maxClaimableAmount), signature],
    ]);
    const state = added.has(requestId) ? "waiting" : "open";
    await database.query(ADD_RESULT, [requestId, channelId, state]);
  }
}

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

/** What is counted is claimed a while later, with what is counted until then. */
const END_RESULTS = `WITH ended AS (
  UPDATE channel_results SET state = $2 WHERE request_id = ANY ($1::text[]) AND state = 'open'
  RETURNING channel_id
)
UPDATE channels
SET counts = counts + 1, is_claimed = is_claimed AND $2 <> 'counted',
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
