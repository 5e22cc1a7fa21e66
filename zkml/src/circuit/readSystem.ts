import { type FieldMatrix, invertMatrix } from "./fieldMatrix.ts";
import type { Rows } from "./rows.ts";

/**
 * Reads rows that determine as many wires together: with factors that are known, and n wires that are not among the sums on the
 * right, n linear equations in n unknowns. These have one solution in the field where their matrix has an inverse, which is looked for.
 *
 * Returns the wires, or undefined where the rows determine none.
 */
export function readSystem(parameters: {
  rows: Rows;
  system: readonly number[];
  isKnown: (wire: number) => boolean;
}): number[] | undefined {
  const { rows, system, isKnown } = parameters;
  const { starts, wires } = rows;
  const unknown: number[] = [];
  const positions = new Map<number, number>();
  const matrix: bigint[][] = [];
  for (const row of system) {
    const [from = 0, middle = 0, end = 0] = [
      starts[3 * row],
      starts[3 * row + 2],
      starts[3 * row + 3],
    ];
    if (!wires.subarray(from, middle).every(isKnown)) return undefined;
    const coefficients: bigint[] = [];
    for (let term = middle; term < end; term++) {
      const wire = wires[term] as number;
      if (isKnown(wire)) continue;
      const position = positions.get(wire) ?? unknown.push(wire) - 1;
      positions.set(wire, position);
      coefficients[position] = (coefficients[position] ?? 0n) + rows.exact(term);
    }
    matrix.push(coefficients);
  }
  if (unknown.length !== system.length) return undefined;
  const square: FieldMatrix = matrix.map((row) => unknown.map((_, index) => row[index] ?? 0n));
  return invertMatrix(square) === undefined ? undefined : unknown;
}
