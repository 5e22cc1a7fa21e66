import { inputsOf, integerModelSchema } from "@haca/model-runtime/integerModel";
import { bitLength, elementWidth, signedWidth, unionRange } from "@haca/model-runtime/kinds/ranges";
import { computeIntegerValues, runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { describe, expect, it } from "vitest";
import { buildGraph } from "../src/kinds/buildGraph.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { scaleExponentFor, toInteger } from "../src/kinds/quantiser.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { chooseBits } from "../src/quantise/chooseBits.ts";
import { DEFAULT_QUANTISE_OPTIONS, type QuantiseOptions } from "../src/quantise/options.ts";
import { quantiseModel } from "../src/quantise/quantiseModel.ts";
import {
  deepPerceptron,
  multilayerPerceptron,
  noise,
  onnxFile,
  type TestNode,
} from "./utils/onnxFile.ts";

const quantise = (parameters: {
  onnx: Uint8Array;
  calibration: number[][];
  options?: Partial<QuantiseOptions>;
}) =>
  quantiseModel({
    graph: buildGraph(parseOnnx(parameters.onnx)),
    calibration: parameters.calibration,
    options: { ...DEFAULT_QUANTISE_OPTIONS, ...parameters.options },
  });

const chain = (...nodes: TestNode[]): Uint8Array =>
  onnxFile({
    input: [1, 2],
    nodes,
    constants: {
      w: { shape: [2, 2], data: [1, -0.5, 0.25, 0.75] },
      huge: { shape: [2, 2], data: [2 ** 40, 1, 1, 1] },
      bias: { shape: [2], data: [0.5, -1] },
    },
    outputs: ["y"],
  });
const gemm = (input: string, output: string): TestNode => ({
  operator: "Gemm",
  inputs: [input, "w", "bias"],
  output,
});

describe("the bound on errors", () => {
  /** The greater of x and 0.2: of 100 samples one is so near that few bits take it for the other. */
  const graph = buildGraph(
    parseOnnx(
      onnxFile({
        input: [1, 1],
        nodes: [
          { operator: "Gemm", inputs: ["x", "w", "b"], output: "s" },
          { operator: "ArgMax", inputs: ["s"], output: "y", attributes: { axis: 1 } },
        ],
        constants: { w: { shape: [1, 2], data: [1, 0] }, b: { shape: [2], data: [0, 0.2] } },
        outputs: { y: 7 },
      }),
    ),
  );
  const far = Array.from({ length: 99 }, (_, index) => [index % 2 === 0 ? 1 : -1]);
  const choose = (maximumError: number, isLabelled: boolean) =>
    chooseBits({
      graph,
      calibration: { inputs: far },
      test: {
        inputs: [...far, [0.24]],
        ...(isLabelled ? { labels: [...far.map(([x]) => (x === 1 ? 0 : 1)), 0] } : {}),
      },
      options: { inputBits: 3, weightBits: 8, activationBits: 8 },
      maximumError,
    });

  it.each([true, false])("admits a loss that is the bound, to the sample; labels: %s", (labels) => {
    expect(choose(0.01, labels).test?.agreement).toBe(0.99);
    expect(() => choose(0.0099, labels)).toThrow(/loses 1.00 percentage points/);
  });
});

describe("widths", () => {
  it("counts binary digits", () => {
    expect([0n, 1n, 7n, 8n].map(bitLength)).toEqual([0, 1, 3, 4]);
    const widths = [
      [-8n, 7n, 4],
      [-9n, 0n, 5],
      [-1n, 8n, 5],
      [0n, 0n, 1],
      [0n, 1n, 2],
    ] as const;
    for (const [minimum, maximum, width] of widths) {
      expect(signedWidth({ minimum, maximum })).toBe(width);
    }
    expect(elementWidth({ minimum: 0n, maximum: 16n })).toEqual({ bits: 5, isSigned: false });
    expect(elementWidth({ minimum: 0n, maximum: 0n })).toEqual({ bits: 1, isSigned: false });
    expect(elementWidth({ minimum: -1n, maximum: 16n })).toEqual({ bits: 6, isSigned: true });
  });
});

describe("scales", () => {
  it("takes the smallest power of two that fits", () => {
    for (const largest of [127, 127.4, 127.6, 128, 1, 0.3, 1e-9, 5e9]) {
      const exponent = scaleExponentFor({ largest, limit: 127 });
      expect(Math.round(largest / 2 ** exponent)).toBeLessThanOrEqual(127);
      expect(Math.round(largest / 2 ** (exponent - 1))).toBeGreaterThan(127);
    }
    expect(scaleExponentFor({ largest: 0, limit: 127 })).toBe(0);
  });

  it("rounds halves away from zero and never to -0", () => {
    expect([2.5, -2.5, 2.4, -0.2].map((x) => toInteger(x, 0))).toEqual([3, -3, 2, 0]);
    expect(toInteger(3, -2)).toBe(12);
  });
});

describe("quantiseModel", () => {
  it("takes integers as they are and covers real numbers with bits, both with a margin", () => {
    const onnx = multilayerPerceptron({ inputs: 2, hidden: 2, classes: 2 });
    const inputOf = (sample: number[]) => quantise({ onnx, calibration: [sample] }).input;
    const whole = { scaleExponent: 0, isInteger: true };
    expect(inputOf([3, 16])).toMatchObject({ minimum: 0, maximum: 20, ...whole });
    expect(inputOf([-3, 16])).toMatchObject({ minimum: -8, maximum: 21, ...whole });
    expect(inputOf([0.5, 1])).toMatchObject({ minimum: 0, maximum: 255, scaleExponent: -7 });
    expect(inputOf([-0.5, 0.9])).toMatchObject({ minimum: -127, maximum: 127, scaleExponent: -6 });
    // 0 and 1 alone say nothing of what lies between, and 65,536 is a whole number too
    expect(inputOf([0, 1])).not.toHaveProperty("isInteger");
    expect(inputOf([0, 80_000])).toMatchObject({ maximum: 100_000, ...whole });
  });

  it("takes no whole numbers where another set of samples has fractions", () => {
    const onnx = multilayerPerceptron({ inputs: 2, hidden: 2, classes: 2 });
    const { input } = quantiseModel({
      graph: buildGraph(parseOnnx(onnx)),
      calibration: [[3, 16]],
      others: [[0.5, 1]],
      options: DEFAULT_QUANTISE_OPTIONS,
    });
    expect(input).not.toHaveProperty("isInteger");
  });

  it("takes a fixed input range", () => {
    const onnx = multilayerPerceptron({ inputs: 2, hidden: 2, classes: 2 });
    const input = { minimum: -4, maximum: 9, scaleExponent: -3 };
    expect(quantise({ onnx, calibration: [[0.1, 0.2]], options: { input } }).input).toMatchObject(
      input,
    );
  });

  it("stays near the float model, through rescaled operands and outputs", () => {
    const relu: TestNode = { operator: "Relu", inputs: ["a"], output: "h" };
    const onnx = chain(gemm("x", "a"), relu, gemm("h", "b"), gemm("b", "c"), gemm("c", "y"));
    const options = { weightBits: 12, activationBits: 12, inputBits: 12, outputBits: 20 };
    const model = quantise({ onnx, calibration: [[0.99, -0.99]], options });
    expect(model.nodes.map(({ kind }) => kind)).toContain("rescale");
    const [output] = describeTensors({ integerModel: model, bounds: computeBounds(model) }).outputs;
    expect(output?.layout.bits).toBeLessThanOrEqual(20);

    const layer = ([a = 0, b = 0]: number[]) => [a + 0.25 * b + 0.5, -0.5 * a + 0.75 * b - 1];
    for (const x of [
      [0.5, 0.25],
      [-0.75, 0.9],
      [0.9, -0.9],
    ]) {
      const hidden = layer(x).map((value) => Math.max(0, value));
      const expected = layer(layer(layer(hidden)));
      const input = x.map((value) => BigInt(toInteger(value, model.input.scaleExponent)));
      const values = computeIntegerValues({ integerModel: model, input });
      const [shown] = model.outputs;
      const actual = values.get(shown?.value ?? "") ?? [];
      for (const [index, value] of actual.entries()) {
        expect(value * 2 ** (shown?.scaleExponent ?? 0)).toBeCloseTo(expected[index] as number, 2);
      }
    }
  });

  it("clips at the limits, and is off by half a step of the result elsewhere", () => {
    const number = (value: number) => ({ shape: [], data: [value] });
    const clip = (limits: string[], output: string): TestNode => ({
      operator: "Clip",
      inputs: ["x", ...limits],
      output,
    });
    const onnx = onnxFile({
      input: [1, 5],
      nodes: [clip(["low", "high"], "both"), clip(["low"], "lower"), clip(["", "high"], "upper")],
      constants: { low: number(-1), high: number(6) },
      outputs: ["both", "lower", "upper"],
    });
    const sample = [-8, -1.03, 0.28, 5.96, 8];
    const options = { inputBits: 12, activationBits: 6 };
    const model = quantise({ onnx, calibration: [sample], options });
    const input = sample.map((value) => BigInt(toInteger(value, model.input.scaleExponent)));
    const values = computeIntegerValues({ integerModel: model, input });
    const limits = [
      [-1, 6],
      [-1, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 6],
    ];
    for (const [index, [low = 0, high = 0]] of limits.entries()) {
      const { value, scaleExponent } = model.outputs[index] ?? { value: "", scaleExponent: 0 };
      const step = 2 ** scaleExponent;
      const actual = (values.get(value) ?? []).map((integer) => integer * step);
      for (const [at, x] of sample.entries()) {
        const expected = Math.min(Math.max(x, low), high);
        // half a step of the input, and half a step of the result
        const tolerance = expected === x ? (2 ** model.input.scaleExponent + step) / 2 : 0;
        expect(Math.abs((actual[at] ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  it("cuts activations off that could grow without end, and loses nothing of what calibration shows", () => {
    const graph = buildGraph(
      parseOnnx(deepPerceptron({ sizes: [16, ...new Array<number>(12).fill(32), 4] })),
    );
    const inputs = [1, 2, 3, 4].map((seed) => noise([16], seed).data);
    const { integerModel, calibration } = chooseBits({
      graph,
      calibration: { inputs },
      options: {},
      maximumError: 0.01,
    });
    expect(calibration.outputs[0]?.error).toBeLessThan(0.01);
    const widths = [...computeBounds(integerModel).values()].map(
      (ranges) => elementWidth(unionRange(ranges)).bits,
    );
    expect(Math.max(...widths)).toBeLessThan(40);
  });

  it("cuts at four times the greatest activation, and nothing where none was seen", () => {
    const relu = (...calibration: number[][]) => {
      const onnx = chain({ operator: "Relu", inputs: ["x"], output: "y" });
      const input = { minimum: -(2 ** 22), maximum: 2 ** 22, scaleExponent: 0 };
      const integerModel = quantise({ onnx, calibration, options: { input } });
      return (x: bigint, y: bigint) => runIntegerModel({ integerModel, input: [x, y] })[0];
    };
    const seen = relu([100, -3], [7, 50]);
    expect(seen(399n, 400n)).toEqual([399n, 400n]);
    expect(seen(401n, 2n ** 22n)).toEqual([400n, 400n]);
    expect(seen(-401n, -(2n ** 22n))).toEqual([0n, 0n]);
    // not thousands of times as much: exact
    expect(relu([300, 1])(2n ** 22n, 5n)).toEqual([2n ** 22n, 5n]);
    expect(relu([-1, -1])(2n ** 22n, 5n)).toEqual([2n ** 22n, 5n]);
  });

  it("divides a wide value once for all that read it", () => {
    const product = (input: string, output: string): TestNode => ({
      operator: "MatMul",
      inputs: [input, "w"],
      output,
    });
    const onnx = onnxFile({
      input: [1, 2],
      nodes: [product("x", "a"), product("a", "b"), product("b", "y"), product("b", "z")],
      constants: { w: noise([2, 2], 1) },
      outputs: ["y", "z"],
    });
    const options = { inputBits: 16, weightBits: 16 };
    const model = quantise({ onnx, calibration: [[0.99, -0.99]], options });
    const readers = model.nodes.filter((node) => node.kind === "rescale" && node.input === "b");
    expect(readers).toHaveLength(1);
    expect(model.nodes.filter((node) => inputsOf(node)[0] === readers[0]?.output)).toHaveLength(2);
  });

  it("divides every row by its own power of two, so that small rows make no other wider", () => {
    // the second row's sums are small, because its weights cancel out over the samples
    const rows = [
      [1, 0.6, -0.7],
      [0.9, -0.9, 0.01],
    ] as const;
    const widthsOf = (...chosen: (readonly number[])[]) => {
      const data = [0, 1, 2].flatMap((index) => chosen.map((row) => row[index] as number));
      const onnx = onnxFile({
        input: [1, 3],
        nodes: [
          { operator: "MatMul", inputs: ["x", "w"], output: "s" },
          { operator: "Relu", inputs: ["s"], output: "y" },
        ],
        constants: { w: { shape: [3, chosen.length], data } },
        outputs: ["y"],
      });
      const calibration = [
        [0.9, 0.88, 0.4],
        [0.5, 0.48, -0.6],
      ];
      const model = quantise({ onnx, calibration });
      const relu = model.nodes.find(({ kind }) => kind === "relu");
      const sums = computeBounds(model).get("s") ?? [];
      return { shift: relu?.kind === "relu" ? relu.shift : -1, widths: sums.map(signedWidth) };
    };
    const both = widthsOf(...rows);
    const alone = rows.map((row) => widthsOf(row));
    expect(both.shift).toEqual(alone.map(({ shift }) => shift));
    expect(both.widths).toEqual(alone.flatMap(({ widths }) => widths));
    expect(new Set(both.shift as number[]).size).toBe(2);
  });

  it("takes what rounding the weights adds to the mean of the samples out of the bias", () => {
    const count = 40;
    const onnx = onnxFile({
      input: [1, count],
      nodes: [{ operator: "MatMul", inputs: ["x", "w"], output: "y" }],
      constants: { w: { shape: [count, 1], data: noise([count], 3).data.map((w) => w / 3 + 0.4) } },
      outputs: ["y"],
    });
    const sample = Array.from({ length: count }, () => 200);
    const model = quantise({ onnx, calibration: [sample, sample], options: { weightBits: 4 } });
    const graph = buildGraph(parseOnnx(onnx));
    const [expected = 0] = runFloatModel({ graph, input: sample }).get("y") ?? [];
    const values = computeIntegerValues({ integerModel: model, input: sample.map(BigInt) });
    const [shown] = model.outputs;
    const [actual = 0] = values.get(shown?.value ?? "") ?? [];
    const step = 2 ** (shown?.scaleExponent ?? 0);
    expect(Math.abs(actual * step - expected)).toBeLessThanOrEqual(step / 2 + 1e-9);
  });

  it("gives scores that are compared one scale, and divides none of them", () => {
    const onnx = multilayerPerceptron({ inputs: 784, hidden: 64, classes: 10 });
    const calibration = [1, 2].map((seed) => noise([784], seed).data);
    const input = { minimum: 0, maximum: 255, scaleExponent: -8 };
    const model = quantise({ onnx, calibration, options: { input } });
    expect(model.nodes.map(({ kind }) => kind)).toEqual(["affine", "relu", "affine", "argMax"]);
  });

  it("refuses a name of the file that it needs itself", () => {
    const onnx = onnxFile({
      input: [1, 2],
      nodes: [
        { operator: "Relu", inputs: ["x"], output: "y/distance" },
        { operator: "Clip", inputs: ["y/distance", "", "high"], output: "y" },
      ],
      constants: { high: { shape: [], data: [1] } },
      outputs: ["y"],
    });
    expect(() => quantise({ onnx, calibration: [[1, 2]] })).toThrow(
      expect.objectContaining({ code: "quantise.nameTaken", details: { value: "y/distance" } }),
    );
  });

  it("survives its own schema", () => {
    const onnx = multilayerPerceptron({ inputs: 4, hidden: 3, classes: 2 });
    const model = quantise({ onnx, calibration: [[1, 2, 3, 4]] });
    expect(integerModelSchema.parse(JSON.parse(JSON.stringify(model)))).toEqual(model);
  });

  const onnx = multilayerPerceptron({ inputs: 2, hidden: 2, classes: 2 });
  it.each([
    ["no samples", {}, [], "quantise.calibrationInvalid", /no samples/],
    ["a short sample", {}, [[1, 2], [3]], "quantise.calibrationInvalid", /sample 1 has 1/],
    ["not a number", {}, [[1, Number.NaN]], "quantise.calibrationInvalid", /element 1/],
    ["only zeros", {}, [[0, 0]], "quantise.calibrationInvalid", /no range/],
    ["too few weight bits", { weightBits: 1 }, [[1, 2]], "quantise.optionInvalid", /weightBits/],
    ["half a bit", { activationBits: 7.5 }, [[1, 2]], "quantise.optionInvalid", /activationBits/],
    [
      "an empty input range",
      { input: { minimum: 3, maximum: 3, scaleExponent: 0 } },
      [[1, 2]],
      "quantise.optionInvalid",
      /minimum 3/,
    ],
  ])("refuses %s", (_, options, calibration, code, message) => {
    expect(() => quantise({ onnx, calibration, options })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it("refuses sums that integer inference could not hold", () => {
    const large = onnxFile({
      input: [1, 1],
      nodes: [{ operator: "Gemm", inputs: ["x", "w", "b"], output: "y" }],
      constants: { w: { shape: [1, 1], data: [2 ** -30] }, b: { shape: [1], data: [2 ** 30] } },
      outputs: ["y"],
    });
    expect(() => quantise({ onnx: large, calibration: [[1]] })).toThrow(
      expect.objectContaining({ code: "quantise.rangeTooWide", details: { value: "y" } }),
    );
  });

  it("refuses scales that no layout can state", () => {
    const tiny = onnxFile({
      input: [1, 1],
      nodes: [{ operator: "MatMul", inputs: ["x", "w"], output: "y" }],
      constants: { w: { shape: [1, 1], data: [2 ** -130] } },
      outputs: ["y"],
    });
    expect(() => quantise({ onnx: tiny, calibration: [[1]] })).toThrow(
      expect.objectContaining({ code: "quantise.scaleOutOfRange" }),
    );
  });
});

describe("computeBounds", () => {
  it("is attained by every sum and every activation, element by element", () => {
    const onnx = multilayerPerceptron({ inputs: 6, hidden: 5, classes: 3 });
    const model = quantise({ onnx, calibration: [[3, -2, 7, 1, -9, 4]] });
    const bounds = computeBounds(model);
    const [first] = model.nodes;
    if (first?.kind !== "affine") {
      throw new Error("the first node is a layer");
    }
    for (const [index, row] of first.rows.entries()) {
      for (const side of ["minimum", "maximum"] as const) {
        const input = new Array<bigint>(6).fill(0n);
        for (const [position, column] of row.indices.entries()) {
          const isPositive = (row.weights[position] as number) > 0;
          const wantsMaximum = isPositive === (side === "maximum");
          input[column] = BigInt(wantsMaximum ? model.input.maximum : model.input.minimum);
        }
        const values = computeIntegerValues({ integerModel: model, input });
        for (const node of model.nodes.slice(0, 2)) {
          const actual = values.get(node.output)?.[index];
          expect(BigInt(actual ?? Number.NaN)).toBe(bounds.get(node.output)?.[index]?.[side]);
        }
      }
    }
  });
});
