import { id } from "ethers";
import { R } from "./bn254.ts";

/** A source of scalars in [1, r), the same ones for the same seed. */
export function scalarsFrom(seed: string): () => bigint {
  let counter = 0;
  return () => 1n + (BigInt(id(`${seed} ${counter++}`)) % (R - 1n));
}
