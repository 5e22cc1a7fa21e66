import { readFileSync, statSync } from "node:fs";
import type { SnarkFile } from "snarkjs";

const MAXIMUM_BYTES = 2 ** 30;

/** A file for a function of snarkjs that leaves it open: its bytes, up to a size that memory bears. */
export function fileInMemory(path: string): SnarkFile {
  const isSmall = statSync(path).size <= MAXIMUM_BYTES;
  return isSmall ? { type: "mem", data: readFileSync(path) } : path;
}
