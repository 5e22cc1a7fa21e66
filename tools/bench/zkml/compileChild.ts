/** Compiles a model in a process of its own, so that its memory is its own: `compileChild.ts <json>`. */
import { readFileSync } from "node:fs";
import type { InputMode } from "@haca/protocol/inputMode";
import { compileModel } from "@haca/zkml/compileModel";
import { readSamples } from "@haca/zkml/quantise/readSamples";

/** What the child is given, in JSON. */
export type CompileTask = {
  onnx: string;
  samples: string;
  out: string;
  ptauFolder: string;
  prover: string;
  inputMode?: InputMode | undefined;
};

if (import.meta.main) {
  const task: CompileTask = JSON.parse(process.argv[2] ?? "");
  await compileModel({
    onnx: readFileSync(task.onnx),
    name: "sized",
    calibration: readSamples(task.samples),
    out: task.out,
    ptauFolder: task.ptauFolder,
    prover: task.prover,
    quantise: { input: { minimum: 0, maximum: 255, scaleExponent: 0 } },
    // weights by chance compute nothing that could be exact
    maximumError: 1000,
    ...(task.inputMode === undefined ? {} : { inputMode: task.inputMode }),
    onProgress: (line) => console.log(line),
  });
  console.log(`peak ${process.resourceUsage().maxRSS}`);
}
