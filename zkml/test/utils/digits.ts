import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readSamples } from "../../src/quantise/readSamples.ts";

export const digitsPath = (file: string): string =>
  fileURLToPath(new URL(`../../../models/digits/${file}`, import.meta.url));

/** The digits model with its calibration and test images. */
export function readDigits(): {
  onnx: Uint8Array;
  calibration: number[][];
  images: number[][];
  labels: number[];
} {
  const { inputs, labels = [] } = readSamples(digitsPath("test.json"));
  return {
    onnx: readFileSync(digitsPath("digits.onnx")),
    calibration: readSamples(digitsPath("calibration.json")).inputs,
    images: inputs,
    labels,
  };
}
