import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileModel } from "@haca/zkml/compileModel";
import type { CompiledModel } from "./localChain.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "models/digits");

type Images = { images: number[][]; labels: number[] };

const read = (name: string): Images => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));

/**
 * The digits model, compiled once and cached by its content; by each part of the suite for itself where they run beside
 * each other, because no two compilations have the same keys.
 */
export async function compileDigits(): Promise<CompiledModel> {
  return await compileModel({
    onnx: readFileSync(join(FOLDER, "digits.onnx")),
    name: "digits",
    calibration: read("calibration.json").images,
    out: join(ROOT, "data/models", `digits-worker-tests${process.env.WORKER_TESTS_PART ?? ""}`),
  });
}

/** Image `index` of the held-out split. */
export function digit(index: number): number[] {
  const image = read("test.json").images[index];
  if (image === undefined) throw new Error(`no test image ${index}`);
  return image;
}

/** What that image shows. */
export function label(index: number): number {
  const shown = read("test.json").labels[index];
  if (shown === undefined) throw new Error(`no test image ${index}`);
  return shown;
}
