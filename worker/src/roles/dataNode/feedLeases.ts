import type { Database } from "../../storage/database.ts";

const LEASE = `INSERT INTO feed_leases (feed_id, leased_by, leased_until)
VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (feed_id) DO UPDATE SET leased_by = excluded.leased_by, leased_until = excluded.leased_until
WHERE feed_leases.leased_until < now() OR feed_leases.leased_by = excluded.leased_by
RETURNING feed_id`;

/** Has a feed for oneself for a while. Returns whether it is free: machines that share a database post once. */
export async function leaseFeed(parameters: {
  database: Database;
  owner: string;
  feedId: string;
  seconds: number;
}): Promise<boolean> {
  const { database, owner, feedId, seconds } = parameters;
  return (await database.query(LEASE, [feedId, owner, seconds])).length === 1;
}

/** Gives a feed back; nothing where the lease has gone to somebody else. */
export async function releaseFeed(parameters: {
  database: Database;
  owner: string;
  feedId: string;
}): Promise<void> {
  const { database, owner, feedId } = parameters;
  await database.query("DELETE FROM feed_leases WHERE feed_id = $1 AND leased_by = $2", [
    ...[feedId, owner],
  ]);
}

/** Ends every lease, in a database that one process has for itself: whoever held them is gone. */
export async function releaseAllFeeds(parameters: { database: Database }): Promise<void> {
  await parameters.database.query("DELETE FROM feed_leases");
}

const LAST_MINED = `SELECT max(a.block_number)::text AS block
FROM transactions t
JOIN attempts a ON a.transaction_id = t.id
WHERE t.purpose = $1`;

/** Block of the last transaction of a purpose that was mined, by whichever machine; zero if there was none. */
export async function lastMinedBlock(parameters: {
  database: Database;
  purpose: string;
}): Promise<number> {
  const [row] = await parameters.database.query(LAST_MINED, [parameters.purpose]);
  return Number(row?.block ?? 0);
}
