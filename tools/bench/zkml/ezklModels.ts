import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { QuantiseOptions } from "@haca/zkml/quantise/options";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { PROJECT_ROOT } from "../../../scripts/lib/projectRoot.ts";
import { SIZED_MODELS, sampleOf } from "./sizedModels.ts";

/** A model that we and EZKL prove: both are given the same file, the same calibration and the same samples. */
export type EzklModel = {
  name: string;
  onnx: () => Uint8Array;
  calibration: () => number[][];
  /** the first is proved, what both circuits say of all of them is compared with the float model */
  samples: () => number[][];
  /** how ours is built, where not by default */
  build?: { quantise: Partial<QuantiseOptions>; maximumError: number };
};

const SAMPLES = 10;

const TRAINED = ["digits", "digits-cnn", "brent-volatility"].map((name): EzklModel => {
  const source = (file: string) => join(PROJECT_ROOT, "models", name, file);
  return {
    name,
    onnx: () => readFileSync(source(`${name}.onnx`)),
    calibration: () => readSamples(source("calibration.json")).inputs,
    samples: () => readSamples(source("test.json")).inputs.slice(0, SAMPLES),
  };
});

/** EZKL is compared with proofs that show the input. */
const shown = SIZED_MODELS.filter(({ inputMode }) => inputMode === undefined);

const SIZED = shown.map(({ name, onnx, inputs }): EzklModel => {
  const samplesFrom = (first: number, count: number) =>
    Array.from({ length: count }, (_, index) => sampleOf(inputs, first + index));
  return {
    name,
    onnx,
    calibration: () => samplesFrom(1, 4),
    samples: () => samplesFrom(10, SAMPLES),
    // weights by chance compute nothing that could be exact
    build: {
      quantise: { input: { minimum: 0, maximum: 255, scaleExponent: 0 } },
      maximumError: 1000,
    },
  };
});

/** Every model that can be named. */
export const EZKL_MODELS: readonly EzklModel[] = [...TRAINED, ...SIZED];
