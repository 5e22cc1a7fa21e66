import { createHash } from "node:crypto";

/** Chance that comes again: the same numbers for the same seed. */
export type Random = {
  /** from 0 to `limit` - 1 */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
};

export function seededRandom(seed: string): Random {
  let drawn = 0;
  const below = (limit: number): number => {
    drawn += 1;
    return createHash("sha256").update(`${seed} ${drawn}`).digest().readUInt32BE() % limit;
  };
  return {
    below,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
