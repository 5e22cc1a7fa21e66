import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashFile } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { curves, powersOfTau } from "snarkjs";
import { proverName, runNativeProver } from "./nativeProver.ts";
import { type Progress, step } from "./progress.ts";
import { type PtauRecord, readPtauRecord, writePtauRecord } from "./ptauRecord.ts";

/** Generating larger powers on one machine takes hours: use a public ceremony's file. */
const MAXIMUM_POWER = 20;

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
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<{ ptau: string; record: PtauRecord }> {
  const { power, folder, prover, onProgress } = parameters;
  const ptau = parameters.ptau ?? developmentPtauPath({ folder, power });
  if (parameters.ptau === undefined && !existsSync(ptau)) {
    return {
      ptau,
      record: await generatePtau({
        power,
        ptau,
        ...(prover === undefined ? {} : { prover }),
        onProgress,
      }),
    };
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

/**
 * Makes a powers-of-tau file on this machine, prepared for phase 2. For development: nobody but this process can
 * vouch that the secret was forgotten. A file of the native prover names no contribution.
 */
export async function generatePtau(parameters: {
  power: number;
  /** where to write the file */
  ptau: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<PtauRecord> {
  const { power, ptau, prover, onProgress } = parameters;
  if (!Number.isInteger(power) || power < 1 || power > MAXIMUM_POWER) {
    throw new BaseError({
      code: "ptau.powerInvalid",
      message: `power must be an integer from 1 to ${MAXIMUM_POWER}, got ${power}`,
    });
  }
  mkdirSync(dirname(ptau), { recursive: true });
  const work = mkdtempSync(`${ptau}.`);
  const file = (name: string) => join(work, name);
  try {
    if (prover === undefined) {
      await makeBySnarkjs({ power, file, onProgress });
    } else {
      await step({
        name: `powers of tau 2^${power} (${proverName(prover)})`,
        onProgress,
        run: () =>
          runNativeProver({
            program: prover,
            parameters: ["ptau", "new", String(power), file("prepared")],
            onProgress,
          }),
      });
    }
    const record: PtauRecord = {
      format: 1,
      power,
      origin: "development",
      sha256: await hashFile({ path: file("prepared"), algorithm: "sha256" }),
    };
    renameSync(file("prepared"), ptau);
    writePtauRecord({ ptau, record });
    return record;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function makeBySnarkjs(parameters: {
  power: number;
  file: (name: string) => string;
  onProgress: Progress;
}): Promise<void> {
  const { power, file, onProgress } = parameters;
  await step({
    name: `powers of tau 2^${power}: contribute`,
    onProgress,
    run: async () => {
      const curve = await curves.getCurveFromName("bn128");
      await powersOfTau.newAccumulator(curve, power, file("new"));
      const secret = randomBytes(32).toString("hex");
      await powersOfTau.contribute(file("new"), file("contributed"), "development", secret);
    },
  });
  await step({
    name: `powers of tau 2^${power}: prepare phase 2`,
    onProgress,
    run: () => powersOfTau.preparePhase2(file("contributed"), file("prepared")),
  });
}
