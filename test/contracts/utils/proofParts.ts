import { concat, dataSlice, toBeHex } from "ethers";

/** The points of a proof, `A (64) | B (128) | C (64)`. */
export function splitProof(proof: string): { a: string; b: string; c: string } {
  return {
    a: dataSlice(proof, 0, 64),
    b: dataSlice(proof, 64, 192),
    c: dataSlice(proof, 192, 256),
  };
}

export function replaceInProof(
  proof: string,
  parts: Partial<{ a: string; b: string; c: string }>,
): string {
  const { a, b, c } = { ...splitProof(proof), ...parts };
  return concat([a, b, c]);
}

/** Adds to coordinate number `index` (32 bytes each) of a proof or key. */
export function addToCoordinate(parameters: {
  data: string;
  index: number;
  amount: bigint;
}): string {
  const { data, index, amount } = parameters;
  const start = 32 * index;
  const value = BigInt(dataSlice(data, start, start + 32)) + amount;
  return concat([dataSlice(data, 0, start), toBeHex(value, 32), dataSlice(data, start + 32)]);
}
