const LONGEST_MS = 10;

/** Lets whatever else waits on this thread go on, as soon as that has waited for a while. */
export type Breathe = () => Promise<void>;

export function makeBreather(): Breathe {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < LONGEST_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
}
