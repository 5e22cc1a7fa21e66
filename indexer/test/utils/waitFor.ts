import { setTimeout as delay } from "node:timers/promises";

/** Between two looks at what may be there at once, and at what takes seconds: each look costs the indexer time. */
const [SHORTEST_MS, LONGEST_MS] = [20, 250];

/**
 * Asks `probe` until it returns a value, as long as `alive` resolves to nothing. The test's own time limit
 * is the only deadline. A probe that throws has no answer yet.
 */
export async function waitFor<T>(parameters: {
  probe: () => Promise<T | undefined>;
  /** throws when waiting has become pointless */
  checkAlive: () => void;
}): Promise<T> {
  for (let pauseMs = SHORTEST_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_MS)) {
    parameters.checkAlive();
    const value = await parameters.probe().catch(() => undefined);
    if (value !== undefined) {
      return value;
    }
    await delay(pauseMs);
  }
}
