import { createHash } from "node:crypto";
import type { Mutant } from "./mutant.ts";

/** The mutants of one file in the order in which they are tried, and how many of them to count. */
export type Share = { file: string; count: number; queue: Mutant[] };

/**
 * Spreads a sample over all files: one mutant for each, the rest by the square root of what each file offers, so that
 * unrolled arithmetic does not crowd out the rest. A file's queue takes its operators in turn; the same seed gives the
 * same order, whatever the sample's size. Whoever finds that a mutant cannot count takes the next of its file.
 */
export function drawSample(parameters: {
  mutants: readonly Mutant[];
  size: number;
  seed: string;
}): Share[] {
  const { mutants, size, seed } = parameters;
  const byFile = groupBy(mutants, ({ file }) => file);
  const ordered = [...byFile].sort(([a], [b]) => (rank(seed, a) < rank(seed, b) ? -1 : 1));
  const counts = spread({ offers: ordered.map(([, offered]) => offered.length), size });
  return ordered.flatMap(([file, offered], index) => {
    const count = counts[index] ?? 0;
    return count === 0 ? [] : [{ file, count, queue: inTurn(offered, seed) }];
  });
}

/** How many of `size` each offer gets: one for each first, then by largest remainder; never more than it has. */
export function spread(parameters: { offers: readonly number[]; size: number }): number[] {
  const { offers, size } = parameters;
  const wanted = Math.min(
    size,
    offers.reduce((sum, offer) => sum + offer, 0),
  );
  const weight = offers.reduce((sum, offer) => sum + Math.sqrt(offer), 0);
  const counts = offers.map((offer, index): number => (index < wanted && offer > 0 ? 1 : 0));
  for (let given = counts.reduce((sum, count) => sum + count, 0); given < wanted; given += 1) {
    const missing = offers.map((offer, index) => {
      const count = counts[index] ?? 0;
      return count === offer
        ? Number.NEGATIVE_INFINITY
        : (wanted * Math.sqrt(offer)) / weight - count;
    });
    const neediest = missing.indexOf(Math.max(...missing));
    counts[neediest] = (counts[neediest] ?? 0) + 1;
  }
  return counts;
}

function inTurn(mutants: readonly Mutant[], seed: string): Mutant[] {
  const drawn = new Map(mutants.map((mutant) => [mutant, rank(seed, nameOf(mutant))]));
  const byRank = [...mutants].sort((a, b) =>
    String(drawn.get(a)) < String(drawn.get(b)) ? -1 : 1,
  );
  const queues = [...groupBy(byRank, ({ operator }) => operator).values()];
  const longest = Math.max(...queues.map((queue) => queue.length));
  return Array.from({ length: longest }, (_, turn) =>
    queues.flatMap((queue) => queue[turn] ?? []),
  ).flat();
}

const nameOf = ({ file, start, end, mutated }: Mutant): string =>
  `${file}:${start}:${end}:${mutated}`;

const rank = (seed: string, name: string): string =>
  createHash("sha256").update(`${seed} ${name}`).digest("hex");

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}
