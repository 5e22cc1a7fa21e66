import { dueIn } from "../watch/nextDue.ts";
import type { Due } from "../watch/watchContext.ts";

const NEXT = `SELECT min(short_until)::text AS due FROM watched_pages
WHERE closed_at IS NULL AND state = 'pending' AND attested_at IS NULL AND kind = 2 AND verdict = 'good'
  AND short_until >= $1::numeric`;

/** The quorum of a page: after the short road's length before its end it makes the page final no earlier. */
export const nextAttestation: Due = async ({ context, now }) =>
  dueIn((await context.database.query(NEXT, [String(now)]))[0]);
