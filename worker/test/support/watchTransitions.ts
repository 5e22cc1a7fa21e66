/**
 * What a watcher can die right after, over one page, in their order. Of a challenge the first transaction is the commitment, the
 * second one the challenge; of a request or a demand the first is it, and the second rejects the page. A validator's first one
 * freezes the epoch, its second one brings the quorum, and between them it signs; where it slashes or pays, that is the first one.
 */
export const WATCH_TRANSITIONS = [
  "made",
  "dutyTaken",
  "firstRecorded",
  "firstSent",
  "firstMined",
  "signed",
  "secondRecorded",
  "secondSent",
  "ended",
] as const;
export type WatchTransition = (typeof WATCH_TRANSITIONS)[number];

/** Over a challenge: those that the default run dies after; the deep one dies after all. */
export const watchDeaths = (isDeep: boolean): WatchTransition[] =>
  isDeep
    ? ["made", "firstRecorded", "firstSent", "secondRecorded", "secondSent", "ended"]
    : ["made", "firstSent", "secondSent"];

/** Of a validator over one page, whose stake alone is a quorum. */
export const validateDeaths = (isDeep: boolean): WatchTransition[] =>
  isDeep
    ? ["firstRecorded", "firstSent", "signed", "secondRecorded", "secondSent"]
    : ["signed", "secondSent"];

/** Of a validator while it slashes a signer of a wrong page, or has what pages brought paid out. */
export const earningDeaths = (isDeep: boolean): WatchTransition[] =>
  isDeep ? ["dutyTaken", "firstRecorded", "firstSent", "firstMined"] : [];

type AskingDeath = [asking: "request" | "demand", WatchTransition];

/** The same over a request and a demand, of which no challenge is made. */
export const askingDeaths = (isDeep: boolean): AskingDeath[] =>
  isDeep
    ? (["request", "demand"] as const).flatMap((asking) =>
        (["firstRecorded", "firstSent", "secondRecorded", "secondSent"] as const).map(
          (transition): AskingDeath => [asking, transition],
        ),
      )
    : [
        ["request", "firstSent"],
        ["demand", "firstRecorded"],
      ];
