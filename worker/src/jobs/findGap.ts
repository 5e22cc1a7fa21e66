import type { Database } from "../storage/database.ts";

const FIND = `SELECT 1
FROM transactions
WHERE dropped_at IS NULL
  AND nonce > $1
  AND nonce = (
    SELECT min(nonce) FROM transactions
    WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL
  )
GROUP BY nonce
HAVING min(signed_at) < now() - make_interval(secs => $2::double precision / 1000)
  AND bool_or(broadcast_at IS NOT NULL)`;

/**
 * Whether the first of the open transactions lies behind a nonce and has been on its way for a while. It counts from
 * its first attempt: being sent again and again, or replaced, brings it no further.
 */
export async function findGap(parameters: {
  database: Database;
  /** the account's next nonce on the chain */
  nonce: number;
  patienceMs: number;
}): Promise<boolean> {
  const { database, nonce, patienceMs } = parameters;
  return (await database.query(FIND, [nonce, patienceMs])).length > 0;
}
