import type { Database } from "../storage/database.ts";

const FINALISE = `UPDATE jobs SET finalised_at = now()
WHERE request_id = $1 AND state = 'settled' AND transaction_hash IS NULL
RETURNING request_id`;
const REOPEN = `UPDATE jobs
SET state = 'proven', settled_at = NULL, seen_at_block = NULL, last_error = 'a reorganisation removed the settlement'
WHERE request_id = $1 AND state = 'settled' AND transaction_hash IS NULL AND finalised_at IS NULL
RETURNING request_id`;

/**
 * Ends the watch over a settlement by somebody else: final, or gone with a reorganisation, which makes the job proven
 * again. Returns whether this call made the transition.
 */
export async function decideForeignSettled(parameters: {
  database: Database;
  requestId: string;
  verdict: "final" | "gone";
}): Promise<boolean> {
  const { database, requestId, verdict } = parameters;
  const rows = await database.query(verdict === "final" ? FINALISE : REOPEN, [requestId]);
  return rows.length === 1;
}
