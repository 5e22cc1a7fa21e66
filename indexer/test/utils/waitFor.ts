import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;

/**
 * Asks `probe` until it returns a value, as long as `alive` resolves to nothing. The test's own time limit
 * is the only deadline. A probe that throws has no answer yet.
 */
export async function waitFor<T>(parameters: {
  probe: () => Promise<T | undefined>;
  /** throws when waiting has become pointless */
  checkAlive: () => void;
}): Promise<T> {
  for (;;) {
    parameters.checkAlive();
    const value = await parameters.probe().catch(() => undefined);
    if (value !== undefined) {
      return value;
    }
    await delay(POLL_MS);
  }
}
