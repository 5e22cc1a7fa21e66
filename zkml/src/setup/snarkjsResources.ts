import { readFileSync, statSync } from "node:fs";
import { curves, type SnarkFile } from "snarkjs";

/**
 * Ends the worker threads that snarkjs keeps for its curve; without that the process does not exit. Everything in
 * the process that uses snarkjs must be done.
 */
export async function releaseCurve(): Promise<void> {
  const curve = await curves.getCurveFromName("bn128");
  await curve.terminate();
}

const MAXIMUM_BYTES = 2 ** 30;

/** A file for a function of snarkjs that leaves it open: its bytes, up to a size that memory bears. */
export function fileInMemory(path: string): SnarkFile {
  const isSmall = statSync(path).size <= MAXIMUM_BYTES;
  return isSmall ? { type: "mem", data: readFileSync(path) } : path;
}
