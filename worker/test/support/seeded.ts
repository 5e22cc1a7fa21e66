import { id } from "ethers";

/** Numbers from 0 to below `limit`, the same for the same seed. */
export function seeded(seed: string): (limit: number) => number {
  let state = id(seed);
  return (limit) => {
    state = id(state);
    return Number(BigInt(state) % BigInt(limit));
  };
}
