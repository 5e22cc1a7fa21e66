import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { elementCount } from "@haca/model-runtime/integerModel";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { buildGraph, findObstacles } from "../src/kinds/buildGraph.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { readOnnxFile } from "../src/onnx/readOnnxFile.ts";
import { chooseBits } from "../src/quantise/chooseBits.ts";
import { measureError } from "../src/quantise/measureError.ts";
import { DEFAULT_QUANTISE_OPTIONS } from "../src/quantise/options.ts";
import { quantiseGraph } from "../src/quantise/quantiseModel.ts";
import { readSamples } from "../src/quantise/readSamples.ts";
import { randomGraph } from "./utils/graphFuzzer.ts";
import { forest, noise, onnxFile, type TestConstant, type TestNode } from "./utils/onnxFile.ts";

const isDeep = process.env.HACA_DEEP === "1";

/**
 * Runs a model by ONNX Runtime, in floats and in integers. Returns the greatest difference of the float models and the
 * relative error of the integer model, at 14 bits.
 */
async function compare(parameters: { onnx: Uint8Array; seeds: number[] }): Promise<{
  float: number;
  integer: number;
}> {
  const { onnx, seeds } = parameters;
  const graph = buildGraph(parseOnnx(onnx));
  const inputs = seeds.map((seed) => noise(graph.input.shape, seed).data);
  const session = await InferenceSession.create(onnx);
  let float = 0;
  for (const input of inputs) {
    const dimensions = [1, ...graph.input.shape];
    const feeds = {
      [graph.input.name]: new Tensor("float32", Float32Array.from(input), dimensions),
    };
    const expected = await session.run(feeds);
    const values = runFloatModel({ graph, input });
    for (const { name, value, shape } of graph.outputs) {
      const reference = Array.from(expected[name]?.data as ArrayLike<number>, Number);
      const ours = values.get(value) ?? [];
      expect(ours).toHaveLength(reference.length);
      expect(elementCount(shape)).toBe(reference.length);
      const size = Math.max(1, ...reference.map(Math.abs));
      for (const [index, x] of reference.entries()) {
        float = Math.max(float, Math.abs(x - (ours[index] ?? Number.NaN)) / size);
      }
    }
  }
  await session.release();
  const options = {
    ...DEFAULT_QUANTISE_OPTIONS,
    weightBits: 14,
    activationBits: 14,
    inputBits: 14,
    outputBits: 40,
  };
  const quantised = quantiseGraph({ graph, calibration: inputs, options });
  const { outputs } = measureError({ ...quantised, graph, samples: { inputs } });
  return { float, integer: Math.max(...outputs.map(({ error }) => error)) };
}

const whole = (data: number[]): TestConstant => ({ shape: [data.length], data, isInt64: true });
const scalar = (value: number): TestConstant => ({ shape: [], data: [value] });

type Case = {
  title: string;
  input: number[];
  nodes: TestNode[];
  constants?: Record<string, TestConstant>;
};

const one = (
  operator: string,
  input: number[],
  rest: Partial<TestNode> & { constants?: Record<string, TestConstant> } = {},
): Case => {
  const { constants = {}, inputs = ["x", ...Object.keys(constants)], ...node } = rest;
  return {
    title: `${operator} ${JSON.stringify(node.attributes ?? {})} on [${input}]`,
    input,
    constants,
    nodes: [{ operator, inputs, output: "y", ...node }],
  };
};

const CASES: Case[] = [
  one("Add", [1, 3, 4], { constants: { c: noise([3, 1], 1) } }),
  one("Add", [1, 4], { inputs: ["x", "x"] }),
  one("Sub", [1, 3, 4], { constants: { c: noise([4], 1) } }),
  one("Sub", [1, 4], { inputs: ["c", "x"], constants: { c: noise([3, 4], 2) } }),
  one("Mul", [1, 3, 4], { constants: { c: noise([4], 1) } }),
  one("Div", [1, 3, 4], { constants: { c: { shape: [3, 1], data: [2, -4, 0.3] } } }),
  one("Neg", [1, 4]),
  one("Sum", [1, 4], { inputs: ["x", "c", "x"], constants: { c: noise([4], 3) } }),
  one("Abs", [1, 6]),
  one("LeakyRelu", [1, 6], { attributes: { alpha: { float: 0.25 } } }),
  one("PRelu", [1, 3, 4], { constants: { slope: noise([3, 1], 2) } }),
  one("HardSigmoid", [1, 6], { attributes: { alpha: { float: 0.75 }, beta: { float: 0.25 } } }),
  one("Max", [1, 6], { constants: { c: noise([6], 4) } }),
  one("Min", [1, 6], { inputs: ["x", "c", "d"], constants: { c: noise([6], 4), d: scalar(0.25) } }),
  one("Elu", [1, 6], { attributes: { alpha: { float: 0.5 } } }),
  one("Sigmoid", [1, 6]),
  one("Tanh", [1, 6]),
  one("Softplus", [1, 6]),
  one("ReduceMean", [1, 3, 4], { attributes: { axes: [2], keepdims: 0 } }),
  one("ReduceMean", [1, 3, 4]),
  one("ReduceSum", [1, 3, 4], { constants: { axes: whole([-1]) } }),
  one("MatMul", [1, 2, 3, 4], { constants: { w: noise([4, 5], 1) } }),
  one("MatMul", [1, 2, 3, 4], { constants: { w: noise([2, 4, 2], 1) } }),
  one("MatMul", [1, 3, 4], { inputs: ["w", "x"], constants: { w: noise([2, 3], 1) } }),
  one("Transpose", [1, 2, 3, 4], { attributes: { perm: [0, 3, 1, 2] } }),
  one("Concat", [1, 2, 3], {
    inputs: ["x", "c", "x"],
    attributes: { axis: 1 },
    constants: { c: noise([1, 1, 3], 1) },
  }),
  one("Slice", [1, 4, 6], {
    constants: { s: whole([3, -1]), e: whole([-9, 0]), a: whole([1, 2]), t: whole([-1, -2]) },
  }),
  one("Gather", [1, 4, 3], {
    attributes: { axis: 1 },
    constants: { i: { ...whole([2, -1, 0, 0]), shape: [2, 2] } },
  }),
  one("Pad", [1, 2, 3], { constants: { p: whole([0, 1, 0, 0, 0, 2]), v: scalar(0.5) } }),
  one("Expand", [1, 1, 3], { constants: { s: whole([1, 4, 3]) } }),
  one("MaxPool", [1, 2, 5, 5], {
    attributes: { kernel_shape: [2, 3], strides: [2, 2], pads: [0, 1, 1, 1] },
  }),
  one("MaxPool", [1, 2, 7], { attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1 } }),
  one("AveragePool", [1, 2, 6], { attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1 } }),
  one("Conv", [1, 2, 7], {
    attributes: { strides: [2], pads: [1, 2] },
    constants: { w: noise([3, 2, 3], 1), b: noise([3], 2) },
  }),
  ...[
    { operator: "Relu" },
    { operator: "LeakyRelu", attributes: { alpha: { float: 0.25 } } },
    { operator: "LeakyRelu", attributes: { alpha: { float: -0.5 } } },
  ].map((activation) => ({
    title: `MaxPool of a ${activation.operator} of sums ${activation.attributes?.alpha.float ?? ""}`,
    input: [1, 2, 6, 6],
    constants: { w: noise([3, 2, 3, 3], 1), b: noise([3], 2) },
    nodes: [
      { operator: "Conv", inputs: ["x", "w", "b"], output: "s" },
      { ...activation, inputs: ["s"], output: "h" },
      {
        operator: "MaxPool",
        inputs: ["h"],
        output: "y",
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
    ],
  })),
  {
    title: "Split, and a sum of its parts",
    input: [1, 2, 6],
    constants: { sizes: whole([2, 4]), half: scalar(0.5) },
    nodes: [
      {
        operator: "Split",
        inputs: ["x", "sizes"],
        output: "a",
        further: ["b"],
        attributes: { axis: 2 },
      },
      { operator: "ReduceSum", inputs: ["b"], output: "s" },
      { operator: "Mul", inputs: ["a", "half"], output: "m" },
      { operator: "Add", inputs: ["m", "s"], output: "y" },
    ],
  },
  {
    title: "shapes that are computed: Shape, Gather, Unsqueeze, Concat, Cast, Reshape",
    input: [1, 2, 3, 4],
    constants: {
      zero: { shape: [], data: [0], isInt64: true },
      axis: whole([0]),
      rest: whole([-1]),
    },
    nodes: [
      { operator: "Shape", inputs: ["x"], output: "sizes" },
      { operator: "Gather", inputs: ["sizes", "zero"], output: "batch" },
      { operator: "Unsqueeze", inputs: ["batch", "axis"], output: "first" },
      { operator: "Concat", inputs: ["first", "rest"], output: "target", attributes: { axis: 0 } },
      { operator: "Cast", inputs: ["target"], output: "cast", attributes: { to: 7 } },
      { operator: "Reshape", inputs: ["x", "cast"], output: "flat" },
      { operator: "Dropout", inputs: ["flat"], output: "y" },
    ],
  },
  ...["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"].map((mode) => ({
    title: `trees of mode ${mode}`,
    input: [1, 4],
    nodes: [forest({ features: 4, trees: 5, depth: 4, modes: [mode] })],
  })),
  {
    title: "a residual block",
    input: [1, 2, 4, 4],
    constants: { w1: noise([2, 2, 3, 3], 1), w2: noise([2, 2, 3, 3], 2) },
    nodes: [
      { operator: "Conv", inputs: ["x", "w1"], output: "a", attributes: { pads: [1, 1, 1, 1] } },
      { operator: "Relu", inputs: ["a"], output: "h" },
      { operator: "Conv", inputs: ["h", "w2"], output: "b", attributes: { pads: [1, 1, 1, 1] } },
      { operator: "Add", inputs: ["b", "h"], output: "s" },
      { operator: "Relu", inputs: ["s"], output: "y" },
    ],
  },
];

describe("operators agree with ONNX Runtime, and integers with them", () => {
  it.each(CASES)("$title", async ({ input, nodes, constants = {} }) => {
    const onnx = onnxFile({ input, nodes, constants, outputs: ["y"] });
    const { float, integer } = await compare({ onnx, seeds: [7, 8, 9, 10] });
    expect(float).toBeLessThan(1e-5);
    // curves are drawn with lines
    expect(integer).toBeLessThan(/Tanh|Softplus/.test(nodes[0]?.operator ?? "") ? 0.004 : 0.002);
  });
});

describe("random graphs", () => {
  it("are computed as ONNX Runtime computes them, or refused by the name of a node", async () => {
    const count = isDeep ? 2000 : 60;
    let compared = 0;
    for (let seed = 1; seed <= count; seed++) {
      const onnx = randomGraph(seed);
      const obstacles = findObstacles(parseOnnx(onnx));
      for (const { node } of obstacles) expect(node, `seed ${seed}`).toMatch(/^n\d+$/);
      if (obstacles.length > 0) continue;
      compared += 1;
      const { float, integer } = await compare({ onnx, seeds: [seed, seed + 1, seed + 2] });
      expect(float, `seed ${seed}`).toBeLessThan(1e-4);
      expect(integer, `seed ${seed}`).toBeLessThan(0.02);
    }
    expect(compared).toBeGreaterThan(count / 2);
  });
});

const fixtures =
  process.env.HACA_FIXTURES ?? fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
const exportsFolder = join(fixtures, "onnx");
const hasExports = existsSync(join(exportsFolder, "manifest.json"));
/** What no operator of this compiler covers yet. */
const REFUSED = new Map([
  ["sk-svc-rbf-iris", "SVMClassifier"],
  ["sk-gnb-iris", "Pow"],
  ["sk-knn-iris", "Scan"],
  ["pt-lstm-rows", "LSTM"],
  ["pt-transformer-dynamo", "LayerNormalization"],
  ["pt-wide-deep-2in", "exactly one input"],
  ["iss-k2c4-poly", "Pow"],
]);

describe.skipIf(!hasExports)("exports of the fixtures", () => {
  const entries: Record<"name" | "file" | "calibration" | "test" | "expected", string>[] =
    hasExports ? JSON.parse(readFileSync(join(exportsFolder, "manifest.json"), "utf8")) : [];

  it.each(entries)("$name: expected outputs, and integers within the bound", (entry) => {
    const path = (file: string) => join(exportsFolder, file);
    const { onnx, external } = readOnnxFile(path(entry.file));
    const parsed = parseOnnx(onnx, external);
    const refusal = REFUSED.get(entry.name);
    if (refusal !== undefined) {
      const obstacles = findObstacles(parsed, { rawScores: true }).map(({ why }) => why);
      expect(obstacles.join("\n")).toContain(refusal);
      return;
    }
    const graph = buildGraph(parsed, { rawScores: true });
    const expected: { inputs: Record<string, number[]>; outputs: Record<string, unknown[]> }[] =
      JSON.parse(readFileSync(path(entry.expected), "utf8"));
    for (const { inputs, outputs } of expected) {
      const values = runFloatModel({ graph, input: Object.values(inputs).flat(9) });
      for (const { name, value, stripped } of graph.outputs) {
        // what is left out at the end is what the file's outputs show
        if (stripped !== undefined || typeof outputs[name]?.[0] !== "number") continue;
        const reference = outputs[name] as number[];
        const ours = values.get(value) ?? [];
        expect(ours).toHaveLength(reference.length);
        const size = Math.max(1, ...reference.map(Math.abs));
        for (const [index, x] of reference.entries()) {
          // 8-bit steps of a quantised export are not imitated
          expect(Math.abs(x - (ours[index] ?? Number.NaN)) / size).toBeLessThan(
            entry.name.endsWith("qdq") ? 0.02 : 2e-3,
          );
        }
      }
    }
    const calibration = readSamples(path(entry.calibration));
    const test = readSamples(path(entry.test));
    const quantised = chooseBits({ graph, calibration, test, options: {}, maximumError: 0.01 });
    expect(quantised.test?.samples).toBeGreaterThan(0.98 * test.inputs.length);
  });
});
