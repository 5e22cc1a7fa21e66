import type { Database } from "../storage/database.ts";
import type { RefundState } from "./channelRefunds.ts";

/** The oldest is looked for among those alone that are to be counted. */
const COUNT_RESULTS = `SELECT CASE WHEN state = 'open' AND refused_at IS NOT NULL THEN 'refused' ELSE state END AS state,
  count(*)::integer AS results,
  coalesce(extract(epoch FROM now() - (
    SELECT min(settled_at) FROM channel_results r JOIN jobs j ON j.request_id = r.request_id WHERE r.state = 'open'
  )), 0)::double precision AS oldest
FROM channel_results
GROUP BY 1`;

/** waiting: nothing has become of its job; open: to be counted; refused: the gate does not count it; none: given up, unpaid. */
type ResultState = "waiting" | "open" | "refused" | "counted" | "none";

/** How many results that are paid by channels are in each state, and for how long the oldest has waited to be counted. */
export async function countChannelResults(parameters: {
  database: Database;
}): Promise<{ states: Record<ResultState, number>; oldestSeconds: number }> {
  const states = { waiting: 0, open: 0, refused: 0, counted: 0, none: 0 };
  let oldestSeconds = 0;
  for (const { oldest, results, state } of await parameters.database.query(COUNT_RESULTS)) {
    states[state as ResultState] = Number(results);
    oldestSeconds = Number(oldest);
  }
  return { states, oldestSeconds };
}

const COUNT_CHANNELS = `SELECT CASE WHEN is_claimed THEN 'claimed' WHEN last_error IS NULL THEN 'counted' ELSE 'refused' END AS state,
  count(*)::integer AS channels,
  coalesce(extract(epoch FROM now() - min(unclaimed_since) FILTER (WHERE NOT is_claimed)), 0)::double precision AS oldest
FROM channels
GROUP BY 1`;

/** counted: something is to be claimed; refused: and cannot be now. */
type ChannelState = "claimed" | "counted" | "refused";

/** How many channels are in each state, and for how long the one has waited that waits longest to be claimed of. */
export async function countChannels(parameters: {
  database: Database;
}): Promise<{ states: Record<ChannelState, number>; oldestSeconds: number }> {
  const states = { claimed: 0, counted: 0, refused: 0 };
  let oldestSeconds = 0;
  for (const { channels, oldest, state } of await parameters.database.query(COUNT_CHANNELS)) {
    states[state as ChannelState] = Number(channels);
    oldestSeconds = Math.max(oldestSeconds, Number(oldest));
  }
  return { states, oldestSeconds };
}

const COUNT_REFUNDS =
  "SELECT state, count(*)::integer AS refunds FROM channel_refunds GROUP BY state";

/** How many channels' last orders to give back are in each state. */
export async function countChannelRefunds(parameters: {
  database: Database;
}): Promise<Record<RefundState, number>> {
  const states = { open: 0, sent: 0, mined: 0, done: 0, refused: 0 };
  for (const { refunds, state } of await parameters.database.query(COUNT_REFUNDS)) {
    states[state as RefundState] = Number(refunds);
  }
  return states;
}
