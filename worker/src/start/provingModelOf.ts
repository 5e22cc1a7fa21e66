import { join } from "node:path";
import type { ServedModel } from "../models/servedModel.ts";
import type { ProvingModel } from "../prover/prover.ts";

/** The files of a served model that a prover needs. */
export function provingModelOf(model: ServedModel): ProvingModel {
  const { folder, manifest, verifyingKey } = model;
  return {
    id: manifest.hashes.zkey,
    zkeyPath: join(folder, manifest.files.zkey),
    planPath: join(folder, manifest.files.plan),
    verifyingKey,
  };
}
