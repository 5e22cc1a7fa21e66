import { id } from "ethers";

/** Numbers in [0, limit), the same ones for the same seed. */
export function randomFrom(seed: string): (limit: bigint) => bigint {
  let counter = 0;
  return (limit) => BigInt(id(`${seed} ${counter++}`)) % limit;
}
