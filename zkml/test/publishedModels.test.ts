import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { computeBounds } from "@haca/model-runtime/tensors";
import { describe, expect, it } from "vitest";
import { constrainModel } from "../src/constrain/constrainModel.ts";
import { buildGraph } from "../src/kinds/buildGraph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { chooseBits, DEFAULT_MAXIMUM_ERROR } from "../src/quantise/chooseBits.ts";
import { readSamples } from "../src/quantise/readSamples.ts";

const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));
const names = readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, `${name}.onnx`)));

describe("the models of models/", () => {
  it.each(names)(
    "%s is within the bound, and has a certified circuit of the size in its table",
    (name) => {
      const file = (path: string): string => join(MODELS, name, path);
      const graph = buildGraph(parseOnnx(readFileSync(file(`${name}.onnx`))));
      const quantised = chooseBits({
        ...{ graph, options: {}, maximumError: DEFAULT_MAXIMUM_ERROR },
        calibration: readSamples(file("calibration.json")),
        test: readSamples(file("test.json")),
      });
      const { integerModel } = quantised;
      expect(quantised.test?.refused.count).toBe(0);
      const folder = mkdtempSync(join(tmpdir(), "haca-models-"));
      try {
        const size = constrainModel({
          ...{ integerModel, bounds: computeBounds(integerModel) },
          files: {
            r1cs: join(folder, "r1cs"),
            plan: join(folder, "plan"),
            symbols: join(folder, "sym"),
          },
        });
        const [row = ""] = readFileSync(join(MODELS, "README.md"), "utf8")
          .split("\n")
          .filter((line) => line.startsWith(`| [${name}](`));
        expect(row.split("|")[4]?.trim()).toBe(size.constraints.toLocaleString("en"));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
