import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "@haca/protocol/manifest";
import { compileModel } from "@haca/zkml/compileModel";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { Wallet } from "ethers";
import type { Report } from "../lib/progress.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { loadCompiledModel, registerModel } from "../models/registerModel.ts";
import { CHAIN_ID, developmentKey, withChain } from "./localChain.ts";

/** Owner of the demo's model: the deployer's account. */
const OWNER_ACCOUNT = 0;

/**
 * Compiles a model of `models/` into `folder`, unless that was done before, and publishes it as version 1.0.
 * @returns the power of two in whose units the chain has the model's first output
 */
export async function prepareModel(parameters: {
  model: string;
  folder: string;
  rpcUrl: string;
  report: Report;
}): Promise<{ scaleExponent: number }> {
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
  const { constraints, parameters: weights } = manifest.statistics;
  console.log(
    `      ${weights.toLocaleString("en")} parameters, ${constraints.toLocaleString("en")} constraints, ` +
      `${exactness(manifest.statistics)}${isCached ? " (compiled before)" : ""}`,
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
  return { scaleExponent: manifest.outputs[0]?.layout.scaleExponent ?? 0 };
}

/** What is lost between the float model and the circuit. */
function exactness(statistics: Manifest["statistics"]): string {
  const { floatAccuracy, outputErrors = [], quantisedAccuracy } = statistics;
  return floatAccuracy === undefined || quantisedAccuracy === undefined
    ? `${outputErrors.map(percent).join(", ")} from the float model`
    : `accuracy ${percent(floatAccuracy)} float, ${percent(quantisedAccuracy)} in the circuit`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
