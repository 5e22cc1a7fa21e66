import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { powersOfTau } from "snarkjs";
import { fileInMemory } from "../fileInMemory.ts";
import { type Progress, step } from "../progress.ts";
import { hashFile } from "../sha256.ts";
import { type PtauRecord, readPtauPower, writePtauRecord } from "./ptauRecord.ts";

const HEADER_BYTES = 68;

/**
 * Takes the file of a public ceremony: compares its hash with the published one, checks every power with pairings,
 * and writes the record that `compile` asks for. The file stays where it is.
 */
export async function importPtau(parameters: {
  ptau: string;
  /** the hash that the ceremony published, hex with or without 0x */
  expected: { algorithm: "sha256" | "blake2b512"; hash: string };
  onProgress: Progress;
}): Promise<PtauRecord> {
  const { ptau, expected, onProgress } = parameters;
  if (!existsSync(ptau)) {
    throw new BaseError({ code: "ptau.missing", message: `no powers-of-tau file at ${ptau}` });
  }
  const wanted = `0x${expected.hash.toLowerCase().replace(/^0x/, "")}`;
  const actual = await step({
    name: `hash ${ptau}`,
    onProgress,
    run: () => hashFile({ path: ptau, algorithm: expected.algorithm }),
  });
  if (actual !== wanted) {
    throw new BaseError({
      code: "ptau.hashMismatch",
      message: `${ptau}: ${expected.algorithm} is ${actual}, expected ${wanted}`,
    });
  }
  const power = readPtauPower(readHeader(ptau));
  const isValid = await step({
    name: `verify powers of tau 2^${power}`,
    onProgress,
    run: () => powersOfTau.verify(fileInMemory(ptau)),
  });
  if (!isValid) {
    throw new BaseError({
      code: "ptau.invalid",
      message: `${ptau}: its powers are not consistent with each other`,
    });
  }
  const sha256 = await hashFile({ path: ptau, algorithm: "sha256" });
  const record: PtauRecord = { format: 1, power, origin: "ceremony", sha256 };
  writePtauRecord({ ptau, record });
  return record;
}

function readHeader(path: string): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    return bytes.subarray(0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
