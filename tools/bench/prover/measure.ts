import type { Circuit, Contestant } from "./contestants.ts";

/** Samples of one prover on one circuit. */
export type Measured = { name: string; proveMs: number[]; peakBytes: number };

/**
 * Lets every prover make `runs` proofs of the circuit, taking turns: whatever else the machine does in the meantime
 * slows all of them down alike.
 */
export async function measure(parameters: {
  circuit: Circuit;
  contestants: readonly Contestant[];
  runs: number;
}): Promise<Measured[]> {
  const { circuit, contestants, runs } = parameters;
  const measured = contestants.map(({ name }): Measured => ({ name, proveMs: [], peakBytes: 0 }));
  for (let run = 0; run < runs; run += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const { proveMs, peakBytes } = await contestant.prove(circuit);
      const entry = measured[index];
      if (entry === undefined) continue;
      entry.proveMs.push(proveMs);
      entry.peakBytes = Math.max(entry.peakBytes, peakBytes);
    }
  }
  return measured;
}

/** Middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
