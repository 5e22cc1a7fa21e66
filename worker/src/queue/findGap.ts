import type { Database } from "../database/database.ts";

const FIND = `SELECT 1
FROM transactions
WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL
GROUP BY ()
HAVING min(nonce) > $1
  AND bool_and(broadcast_at < now() - make_interval(secs => $2::double precision / 1000))`;

/**
 * Whether every open transaction lies behind a nonce and has been silent for a while. A job that ended otherwise
 * leaves no open transaction: its nonce was used, or another's settlement left it to be mined.
 */
export async function findGap(parameters: {
  database: Database;
  /** the account's next nonce on the chain */
  nonce: number;
  silentMs: number;
}): Promise<boolean> {
  const { database, nonce, silentMs } = parameters;
  return (await database.query(FIND, [nonce, silentMs])).length > 0;
}
