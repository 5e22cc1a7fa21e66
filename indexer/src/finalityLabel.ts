/** How far the chain has come in making its blocks final, as its endpoint says. */
export type Finality = {
  /** numbers of the blocks that the endpoint answers for the tags; null where it answers none */
  safe: bigint | null;
  finalized: bigint | null;
  /** why a number is missing; null if both are there */
  reason: string | null;
};

export type FinalityLabel = "indexed" | "safe" | "finalized";

/** How final a row is that was written last by a block: `indexed` where nothing better is known. */
export function finalityLabel(parameters: { block: bigint; finality: Finality }): FinalityLabel {
  const { block, finality } = parameters;
  if (finality.finalized !== null && block <= finality.finalized) return "finalized";
  if (finality.safe !== null && block <= finality.safe) return "safe";
  return "indexed";
}
