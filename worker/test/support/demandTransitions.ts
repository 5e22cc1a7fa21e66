/** What a proposer can die right after, over a proof that is demanded, in their order. */
export const DEMAND_TRANSITIONS = [
  "demandSeen",
  "demandProved",
  "answerRecorded",
  "answerSent",
] as const;
export type DemandTransition = (typeof DEMAND_TRANSITIONS)[number];

/** Those that the default run dies after; the deep one dies after all. */
export const demandDeaths = (isDeep: boolean): DemandTransition[] =>
  DEMAND_TRANSITIONS.filter((_, place) => isDeep || place % 2 === 0);
