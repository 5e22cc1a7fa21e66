/** What a watcher can die right after, over one challenge, in their order. */
export const WATCH_TRANSITIONS = [
  "made",
  "commitmentRecorded",
  "commitmentSent",
  "challengeRecorded",
  "challengeSent",
  "ended",
] as const;
export type WatchTransition = (typeof WATCH_TRANSITIONS)[number];

/** Those that the default run dies after; the deep one dies after all. */
export const watchDeaths = (isDeep: boolean): WatchTransition[] =>
  WATCH_TRANSITIONS.filter((_, place) => isDeep || place % 2 === 0);
