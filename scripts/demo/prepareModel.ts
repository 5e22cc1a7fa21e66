import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileModel } from "@haca/zkml/compileModel";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { Wallet } from "ethers";
import type { Report } from "../lib/progress.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { loadCompiledModel, registerModel } from "../models/registerModel.ts";
import { CHAIN_ID, developmentKey, withChain } from "./localChain.ts";

/** Owner of the demo's model: the deployer's account. */
const OWNER_ACCOUNT = 0;

/** Compiles a model of `models/` into `folder`, unless that was done before, and publishes it as version 1.0. */
export async function prepareModel(parameters: {
  model: string;
  folder: string;
  rpcUrl: string;
  report: Report;
}): Promise<void> {
  const { model, folder, rpcUrl, report } = parameters;
  const source = join(PROJECT_ROOT, "models", model);
  const { manifest, isCached } = await compileModel({
    onnx: readFileSync(join(source, `${model}.onnx`)),
    name: model,
    calibration: readSamples(join(source, "calibration.json")).inputs,
    test: readSamples(join(source, "test.json")),
    out: folder,
    onProgress: report,
  });
  const {
    constraints,
    parameters: weights,
    floatAccuracy,
    quantisedAccuracy,
  } = manifest.statistics;
  console.log(
    `      ${weights.toLocaleString("en")} parameters, ${constraints.toLocaleString("en")} constraints, ` +
      `accuracy ${percent(floatAccuracy)} float, ${percent(quantisedAccuracy)} in the circuit` +
      `${isCached ? " (compiled before)" : ""}`,
  );

  report("registering");
  const { entry } = await withChain(rpcUrl, async (provider) =>
    registerModel({
      signer: new Wallet(developmentKey(OWNER_ACCOUNT), provider),
      chainId: CHAIN_ID,
      model: await loadCompiledModel(folder),
      major: 1,
      minor: 0,
    }),
  );
  console.log(`      version 1.0 is ${entry.versionId}`);
}

function percent(share: number | undefined): string {
  return share === undefined ? "not measured" : `${(share * 100).toFixed(2)}%`;
}
