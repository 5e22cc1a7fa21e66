import type { Database } from "../storage/database.ts";
import type { PageDecision } from "./pages.ts";

/** Of results that wait for a page, by ledger page; of proposals that are not mined; and of what is on the chain. */
const COUNT_PAGES = `SELECT state, count(*)::integer AS pages,
  coalesce(extract(epoch FROM now() - min(proposed_at)), 0)::double precision AS oldest
FROM pages
GROUP BY state
UNION ALL
SELECT 'forming', count(DISTINCT left(request_id, 64))::integer, 0
FROM jobs
WHERE state = 'proven' AND (tee_id IS NOT NULL OR is_optimistic) AND transaction_id IS NULL AND page_id IS NULL AND NOT settle_alone
UNION ALL
SELECT 'proposed', count(*)::integer, 0
FROM transactions t
WHERE kind IN ('page', 'optimisticPage') AND dropped_at IS NULL
  AND EXISTS (SELECT 1 FROM jobs j WHERE j.transaction_id = t.id AND j.state IN ('proven', 'submitted'))`;

export type PageCounts = {
  states: Record<PageState, number>;
  /** since the oldest pending page was seen on the chain; 0 without one */
  oldestPendingSeconds: number;
};
/** forming: results wait for it; proposed: its transaction is not mined; the rest as the contract has it. */
type PageState = "forming" | "proposed" | "pending" | PageDecision;

/** How many pages are in each state. */
export async function countPages(parameters: { database: Database }): Promise<PageCounts> {
  const states = { forming: 0, proposed: 0, pending: 0 };
  const decided = { final: 0, rejected: 0, disproved: 0, released: 0 };
  const counts: PageCounts = { states: { ...states, ...decided }, oldestPendingSeconds: 0 };
  for (const { oldest, pages, state } of await parameters.database.query(COUNT_PAGES)) {
    counts.states[state as PageState] = Number(pages);
    if (state === "pending") counts.oldestPendingSeconds = Number(oldest);
  }
  return counts;
}
