import { copyFileSync, cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadedModel, loadModel, MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { type Manifest, manifestSchema } from "@haca/protocol/manifest";
import type { VerificationKey } from "snarkjs";
import { describeKeys, FILES, manifestText, verificationKeyText } from "../buildModel.ts";
import { readBuildRequest } from "../buildRequest.ts";
import { proveSample } from "../proveSample.ts";
import { proverName } from "../setup/nativeProver.ts";
import { type Progress, step } from "../setup/progress.ts";
import type { PtauRecord } from "../setup/ptauRecord.ts";
import { openWorkFolder } from "../workFolder.ts";
import type { Ceremony } from "./ceremonyFolder.ts";
import { verifyCeremony } from "./verifyCeremony.ts";

/** What follows the name of a model's folder with the keys that it had before. */
const ASIDE = ".before-ceremony";

/**
 * Verifies a ceremony that has ended and gives its key to the compiled model: proving and verifying key, and a manifest with their
 * hashes and the transcript. A sample is proved and verified before. The folder changes in one step, and what it was is kept
 * beside it under another name.
 *
 * Throws `ceremony.*`, `compile.notProvable` and what `verifyCeremony` and `loadModel` throw.
 */
export async function finishCeremony(parameters: {
  folder: string;
  /** folder of the compiled model */
  model: string;
  /** the powers of tau of the ceremony */
  ptau: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<{ manifest: Manifest; aside: string; isNew: boolean }> {
  const { prover, onProgress } = parameters;
  const aside = `${parameters.model}${ASIDE}`;
  // between two renamings a kill leaves the model under the second name alone
  if (!existsSync(parameters.model) && existsSync(aside)) {
    onProgress(`${aside}: brought back, finishing it was cut off`);
    renameSync(aside, parameters.model);
  }
  const model = await loadModel({ folder: parameters.model });
  const { ceremony, ptau, verificationKey } = await verifyCeremony(parameters);
  const beacon = requireEnded(ceremony);
  requireSameCircuit({ model, ceremony });
  const { setup } = model.manifest;
  if (setup.transcript === ceremony.latest.transcript.sha256) {
    return { manifest: model.manifest, aside, isNew: false };
  }
  if (setup.phase2 === "ceremony") throw occupied(`${model.folder} has keys of another ceremony`);
  if (existsSync(aside)) throw occupied(`${aside}, where its keys would be kept, exists`);

  onProgress(`${model.folder} will have the key ${ceremony.latest.name}; what it is now: ${aside}`);
  const workFolder = openWorkFolder(`${model.folder}.building-`);
  try {
    const folder = join(workFolder, "model");
    cpSync(model.folder, folder, { recursive: true });
    const manifest = await replaceKeys({
      ...{ model, folder, ceremony, ptau, verificationKey, beacon },
    });
    await step({
      name: `prove and verify one sample (${proverName(prover)})`,
      onProgress,
      run: () =>
        proveSample({
          ...{ tensors: manifest, integerModel: model.integerModel, verificationKey },
          sample: readBuildRequest(folder).calibration.inputs[0] ?? [],
          plan: join(folder, FILES.plan),
          zkey: join(folder, FILES.zkey),
          ...(prover === undefined ? {} : { native: { program: prover, workFolder, onProgress } }),
        }),
    });
    renameSync(model.folder, aside);
    renameSync(folder, model.folder);
    return { manifest, aside, isNew: true };
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

async function replaceKeys(parameters: {
  model: LoadedModel;
  folder: string;
  ceremony: Ceremony;
  ptau: PtauRecord;
  verificationKey: VerificationKey;
  beacon: string;
}): Promise<Manifest> {
  const { model, folder, ceremony, ptau, verificationKey, beacon } = parameters;
  copyFileSync(ceremony.latest.path, join(folder, FILES.zkey));
  writeFileSync(join(folder, FILES.verificationKey), verificationKeyText(verificationKey));
  const { hashes, setup } = await describeKeys({ folder, ptau, beacon, phase2: "ceremony" });
  const manifest = manifestSchema.parse({
    ...model.manifest,
    hashes: { ...model.manifest.hashes, ...hashes },
    setup,
  });
  writeFileSync(join(folder, MANIFEST_FILE), manifestText(manifest));
  return manifest;
}

/** The beacon of a ceremony's end, to which somebody has contributed before. Throws `ceremony.notEnded`. */
function requireEnded({ latest }: Ceremony): string {
  const { contributions } = latest.transcript;
  const beacon = contributions.at(-1)?.beacon;
  const parties = contributions.filter((contribution) => contribution.beacon === undefined);
  if (beacon !== undefined && parties.length > 0) return beacon;
  const missing = beacon === undefined ? "no beacon" : "no contribution besides beacons";
  throw new BaseError({
    code: "ceremony.notEnded",
    message: `the ceremony has not ended: ${latest.name} has ${missing}`,
  });
}

function requireSameCircuit(parameters: { model: LoadedModel; ceremony: Ceremony }): void {
  const { model, ceremony } = parameters;
  const { r1cs } = model.manifest.hashes;
  if (r1cs === ceremony.record.r1cs) return;
  throw new BaseError({
    code: "ceremony.otherCircuit",
    message: `${model.folder}: its circuit has SHA-256 ${r1cs}, the ceremony's ${ceremony.record.r1cs}`,
  });
}

const occupied = (reason: string): BaseError =>
  new BaseError({
    code: "ceremony.outOccupied",
    message: `${reason}: nothing was changed, move it away first`,
  });
