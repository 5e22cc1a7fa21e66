import { type Measured, median } from "./measure.ts";
import { OTHER_INSTRUCTIONS } from "./oneShot.ts";

/** dense: full-size witness, the hardest case; model: mostly bits, like circuits of models. */
export const KINDS = ["dense", "model"] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What is compared, always like with like: processes that stay and hold their keys, and programs that start and read
 * the key for every proof.
 */
const RATIOS = [
  { name: "snarkjs", slow: "snarkjs", fast: "helper" },
  { name: "cuda", slow: "helper", fast: "cuda" },
  { name: "rapidsnark", slow: "rapidsnark", fast: "oneShot" },
] as const;

const MEBIBYTE = 1024 * 1024;

/** Figures of one circuit. Dense circuits have the plain keys: nothing about their witness helps. */
export function figuresOf(parameters: {
  measured: readonly Measured[];
  kind: Kind;
  logSize: number;
}): Record<string, number> {
  const { measured, kind, logSize } = parameters;
  const suffix = `${kind === "dense" ? "" : `${kind}.`}2^${logSize}`;
  const figures: Record<string, number> = {};
  for (const { name, proveMs, peakBytes } of measured) {
    figures[`${name}.${suffix}.proveMs`] = round(median(proveMs));
    if (peakBytes > 0) figures[`${name}.${suffix}.peakMiB`] = round(peakBytes / MEBIBYTE);
  }
  const times = new Map(measured.map(({ name, proveMs }) => [name, median(proveMs)]));
  for (const { name, slow, fast } of RATIOS) {
    const [slowMs, fastMs] = [times.get(slow), times.get(fast)];
    if (slowMs === undefined || fastMs === undefined) continue;
    figures[`ratio.${name}.${suffix}`] = round(slowMs / fastMs);
    for (const instructions of OTHER_INSTRUCTIONS) {
      const otherMs = times.get(`${fast}.${instructions}`);
      if (otherMs === undefined) continue;
      figures[`ratio.${name}.${suffix}.${instructions}`] = round(slowMs / otherMs);
    }
  }
  return figures;
}

/** Two digits after the point. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
