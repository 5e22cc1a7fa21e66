import { type Finality, finalityLabel } from "../finalityLabel.ts";

/** A row with its numbers that may exceed 2^53 as decimal strings, as GraphQL has them, and how final it is. */
export function inJson(parameters: { row: { rowBlock: bigint }; finality: Finality }): object {
  const { row, finality } = parameters;
  const entries = Object.entries(row).map(([key, value]) => [
    key,
    typeof value === "bigint" ? String(value) : value,
  ]);
  const label = finalityLabel({ block: row.rowBlock, finality });
  return { ...Object.fromEntries(entries), finality: label };
}
