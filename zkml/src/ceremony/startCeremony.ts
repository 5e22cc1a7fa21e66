import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { powerOf } from "../buildModel.ts";
import { ensurePtau } from "../setup/developmentPtau.ts";
import { keyMaker } from "../setup/keyMaker.ts";
import { proverName } from "../setup/nativeProver.ts";
import { type Progress, step } from "../setup/progress.ts";
import { openWorkFolder } from "../workFolder.ts";
import {
  type Ceremony,
  type CeremonyRecord,
  keyName,
  R1CS_FILE,
  RECORD_FILE,
  readCeremony,
} from "./ceremonyFolder.ts";

/**
 * Makes a ceremony's folder: a compiled model's circuit, its first key, what both are of. It appears in one step; a ceremony of
 * the same circuit and powers of tau that is there already stays as it is.
 *
 * Throws `ceremony.outOccupied`, `ptau.*`, `setup.failed` and what `loadModel` throws.
 */
export async function startCeremony(parameters: {
  folder: string;
  /** folder of the compiled model */
  model: string;
  /** powers of tau that were checked before */
  ptau: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<{ ceremony: Ceremony; isNew: boolean }> {
  const { folder, ptau, prover, onProgress } = parameters;
  const { manifest } = await loadModel({ folder: parameters.model });
  const power = powerOf(manifest.statistics);
  const { record: powers } = await ensurePtau({ power, ptau, folder, onProgress });
  const record: CeremonyRecord = {
    ...{ format: 1, model: manifest.name },
    ...{ r1cs: manifest.hashes.r1cs, ptau: powers.sha256 },
  };
  const found = await findCeremony({ folder, record });
  if (found !== undefined) return { ceremony: found, isNew: false };

  onProgress(
    `a ceremony for ${manifest.name}, ${manifest.statistics.constraints} constraints, in ${folder}`,
  );
  if (powers.origin === "development") {
    onProgress(`powers of tau of one machine: whoever made ${ptau} can forge proofs all the same`);
  }
  const workFolder = openWorkFolder(`${folder}.starting-`);
  try {
    const r1cs = join(workFolder, R1CS_FILE);
    copyFileSync(join(parameters.model, manifest.files.r1cs), r1cs);
    await step({
      name: `first key (${proverName(prover)})`,
      onProgress,
      run: () =>
        keyMaker({ ...(prover === undefined ? {} : { prover }), onProgress }).first({
          ...{ r1cs, ptau, to: join(workFolder, keyName(0)) },
        }),
    });
    writeFileSync(join(workFolder, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
    renameSync(workFolder, folder);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
  return { ceremony: await readCeremony(folder), isNew: true };
}

async function findCeremony(parameters: {
  folder: string;
  record: CeremonyRecord;
}): Promise<Ceremony | undefined> {
  const { folder, record } = parameters;
  if (!existsSync(folder) || readdirSync(folder).length === 0) return undefined;
  const occupied = (reason: string, cause?: unknown) =>
    new BaseError({
      code: "ceremony.outOccupied",
      message: `${folder} ${reason}: name another folder`,
      cause,
    });
  if (!existsSync(join(folder, RECORD_FILE))) throw occupied("exists and has no ceremony");
  const found = await readCeremony(folder);
  for (const field of ["model", "r1cs", "ptau"] as const) {
    if (found.record[field] === record[field]) continue;
    throw occupied(
      `has another ceremony (${field} is ${found.record[field]}, not ${record[field]})`,
    );
  }
  return found;
}
