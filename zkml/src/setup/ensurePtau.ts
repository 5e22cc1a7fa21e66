import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { Progress } from "../progress.ts";
import { generatePtau } from "./generatePtau.ts";
import { type PtauRecord, readPtauRecord } from "./ptauRecord.ts";

/**
 * A powers-of-tau file for a circuit of 2^power: the given one, checked, or the development file of that power,
 * generated where it does not exist yet.
 */
export async function ensurePtau(parameters: {
  power: number;
  /** a file that was generated or imported before */
  ptau?: string;
  /** where development files are kept */
  folder: string;
  onProgress: Progress;
}): Promise<{ ptau: string; record: PtauRecord }> {
  const { power, folder, onProgress } = parameters;
  const ptau = parameters.ptau ?? developmentPtauPath({ folder, power });
  if (parameters.ptau === undefined && !existsSync(ptau)) {
    return { ptau, record: await generatePtau({ power, ptau, onProgress }) };
  }
  const record = await readPtauRecord(ptau);
  if (record.power < power) {
    throw new BaseError({
      code: "ptau.tooSmall",
      message: `${ptau} is for circuits up to 2^${record.power}, this one needs 2^${power}`,
    });
  }
  return { ptau, record };
}

/** Where the development file of a power is kept. */
export function developmentPtauPath(parameters: { folder: string; power: number }): string {
  return join(parameters.folder, `development-${parameters.power}.ptau`);
}
