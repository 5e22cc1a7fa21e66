import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadedModel, loadModel } from "@haca/model-runtime/loadModel";
import { dequantise } from "@haca/model-runtime/quantise";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { BaseError } from "@haca/protocol/baseError";
import { compileModel } from "@haca/zkml/compileModel";
import { answerInput } from "@haca/zkml/proving/answerInput";
import { startNativeOneShots, verifyNatively } from "../prover/oneShot.ts";
import type { EzklModel } from "./ezklModels.ts";

/** Our keys of a model that EZKL proves as well. */
export type Ours = {
  /** compiled from nothing, powers of tau and keys included */
  compileSeconds: number;
  zkey: string;
  provingKeyBytes: number;
  /** of the first sample */
  witness: string;
  /** the first output for each sample, in real numbers */
  outputs: number[][];
  /** Milliseconds of a proof as EZKL makes one: by a program that starts and reads the key. It is verified within that time. */
  prove: () => Promise<number>;
};

/** Compiles a model and makes one proof, in which the key is checked: those that follow remember it. */
export async function prepareOurs(parameters: {
  model: EzklModel;
  onnx: Uint8Array;
  samples: readonly number[][];
  prover: string;
  folder: string;
}): Promise<Ours> {
  const { model, onnx, samples, prover, folder } = parameters;
  const out = join(folder, "ours");
  const started = performance.now();
  await compileModel({
    ...{ onnx, out, prover, name: "model", calibration: model.calibration() },
    ...model.build,
    ptauFolder: join(folder, "ptau"),
  });
  const compileSeconds = (performance.now() - started) / 1000;
  const loaded = await loadModel({ folder: out });
  const zkey = join(out, loaded.manifest.files.zkey);
  const witness = join(folder, "ours.wtns");
  const answers = samples.map((values) => answerInput({ ...loaded, values, context: 1n }));
  const verify = verifyNatively(prover);
  const [first] = answers;
  const [oneShot] = startNativeOneShots({ program: prover, folder, verify });
  if (first === undefined || oneShot === undefined) {
    throw new BaseError({ code: "bench.samples", message: `${model.name} has no sample to prove` });
  }
  const plan = decodeWitnessPlan(readFileSync(join(out, loaded.manifest.files.plan)));
  writeFileSync(witness, wtnsFile(computeWitness({ plan, signals: first.signals })));
  const prove = async (): Promise<number> => (await oneShot.prove({ zkey, witness })).proveMs;
  await prove();
  return {
    ...{ compileSeconds, zkey, witness, prove },
    provingKeyBytes: statSync(zkey).size,
    outputs: answers.map(({ outputs }) => firstOutput(loaded, outputs)),
  };
}

function firstOutput({ manifest }: LoadedModel, outputs: readonly bigint[][]): number[] {
  const layout = manifest.outputs[0]?.layout;
  return layout === undefined ? [] : dequantise({ layout, integers: outputs[0] ?? [] });
}
