import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { loadModel } from "@haca/model-runtime/loadModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { compileModel } from "@haca/zkml/compileModel";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { PROJECT_ROOT } from "../../../scripts/lib/projectRoot.ts";
import type { Contestant } from "./contestants.ts";
import { startSnarkjs } from "./contestants.ts";

/** Milliseconds of one inference of the digits model; the witness is the same for both provers. */
export type DigitsTimes = { witnessMs: number[]; snarkjsMs: number[]; helperMs: number[] };

/** Times proofs of the digits model, the provers taking turns. */
export async function measureDigits(parameters: {
  folder: string;
  helper: Contestant;
  runs: number;
}): Promise<DigitsTimes> {
  const source = (file: string) => join(PROJECT_ROOT, "models", "digits", file);
  const out = join(PROJECT_ROOT, "data", "models", "digits");
  await compileModel({
    onnx: readFileSync(source("digits.onnx")),
    name: "digits",
    calibration: readSamples(source("calibration.json")).inputs,
    out,
  });
  const { manifest, integerModel } = await loadModel({ folder: out });
  const zkey = join(out, manifest.files.zkey);
  const plan = decodeWitnessPlan(readFileSync(join(out, manifest.files.plan)));
  const images = readSamples(source("test.json")).inputs;

  const snarkjs = startSnarkjs();
  const times: DigitsTimes = { witnessMs: [], snarkjsMs: [], helperMs: [] };
  try {
    // One more than counted: the first proof starts threads.
    for (let run = -1; run < parameters.runs; run += 1) {
      const image = images[(run + images.length) % images.length] ?? [];
      const input = quantiseInput({ manifest, values: [...image] });
      const outputs = runIntegerModel({ integerModel, input });
      const { signals } = circuitInput({ manifest, input, outputs, context: BigInt(run + 2) });
      const started = performance.now();
      const values = wtnsFile(computeWitness({ plan, signals }));
      const witnessMs = performance.now() - started;
      // a name of its own: snarkjs keeps what it has read
      const witness = join(parameters.folder, `digits${run}.wtns`);
      writeFileSync(witness, values);
      const { proveMs } = await snarkjs.run({ zkey, witness });
      const helped = await parameters.helper.prove({ zkey, witness });
      if (run < 0) continue;
      times.witnessMs.push(witnessMs);
      times.snarkjsMs.push(proveMs);
      times.helperMs.push(helped.proveMs);
    }
  } finally {
    await snarkjs.close();
  }
  return times;
}
