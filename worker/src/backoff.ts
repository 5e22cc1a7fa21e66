/**
 * Delay before attempt `failures + 1`: exponential from `baseMs` to `maximumMs`, of which a random half is
 * taken away, so that many workers do not come back to a server in step.
 */
export function backoffMs(parameters: {
  failures: number;
  baseMs: number;
  maximumMs: number;
  random?: () => number;
}): number {
  const { failures, baseMs, maximumMs, random = Math.random } = parameters;
  const full = Math.min(maximumMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random() / 2);
}
