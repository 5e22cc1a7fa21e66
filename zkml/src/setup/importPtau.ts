import { hashFile } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { powersOfTau } from "snarkjs";
import { type Progress, step } from "./progress.ts";
import { type PtauRecord, writePtauRecord } from "./ptauRecord.ts";
import { readPtauFile } from "./readPtauFile.ts";
import { fileInMemory } from "./snarkjsResources.ts";

/** Hex digits of a hash. */
const HASH_DIGITS = { sha256: 64, blake2b512: 128 };

/**
 * Takes the file of a public ceremony: reads its frame, compares its hash with the published one, checks every power with pairings,
 * and writes the record that `compile` asks for. The file stays where it is. Throws `ptau.*`, naming the file.
 */
export async function importPtau(parameters: {
  ptau: string;
  /** the hash that the ceremony published, hex with or without 0x */
  expected: { algorithm: "sha256" | "blake2b512"; hash: string };
  onProgress: Progress;
}): Promise<PtauRecord> {
  const { ptau, expected, onProgress } = parameters;
  const { power } = readPtauFile(ptau);
  const wanted = `0x${expected.hash.toLowerCase().replace(/^0x/, "")}`;
  const digits = HASH_DIGITS[expected.algorithm];
  if (!/^0x[0-9a-f]*$/.test(wanted) || wanted.length !== 2 + digits) {
    throw new BaseError({
      code: "ptau.hashInvalid",
      message: `a hash of ${expected.algorithm} has ${digits} hex digits, got ${JSON.stringify(expected.hash)}`,
    });
  }
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
  const isValid = await step({
    name: `verify powers of tau 2^${power}`,
    onProgress,
    run: () => verify(ptau),
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

/** snarkjs throws where it cannot read a part, such as a contribution. */
async function verify(ptau: string): Promise<boolean> {
  try {
    return await powersOfTau.verify(fileInMemory(ptau));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${ptau}: cannot be verified: ${reason.split("\n")[0]}`;
    throw new BaseError({ code: "ptau.invalid", message, cause });
  }
}
