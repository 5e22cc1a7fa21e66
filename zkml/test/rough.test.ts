import { computeIntegerValues } from "@haca/model-runtime/runIntegerModel";
import { computeBounds } from "@haca/model-runtime/tensors";
import { expect, it } from "vitest";
import { buildGraph } from "../src/kinds/buildGraph.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { DEFAULT_QUANTISE_OPTIONS } from "../src/quantise/options.ts";
import { quantiseGraph } from "../src/quantise/quantiseModel.ts";
import { noise, onnxFile, type TestNode } from "./utils/onnxFile.ts";

const SIDE = 12;

const picture = (seed: number): number[] =>
  noise([SIDE * SIDE], seed).data.map((x) => Math.floor(128 * (x + 1)));

/** A convolution of two channels over a picture, and what follows it. */
function quantise(parameters: { after: TestNode[]; bits: number; mean?: number }) {
  const { after, bits, mean = 0 } = parameters;
  const { shape, data } = noise([2, 1, 5, 5], 2);
  const graph = buildGraph(
    parseOnnx(
      onnxFile({
        input: [1, 1, SIDE, SIDE],
        nodes: [
          {
            operator: "Conv",
            inputs: ["x", "k"],
            output: "s",
            attributes: { kernel_shape: [5, 5] },
          },
          ...after,
        ],
        constants: { k: { shape, data: data.map((x) => Math.fround(x + mean)) } },
        outputs: [after.at(-1)?.output ?? "s"],
      }),
    ),
  );
  const calibration = [1, 2, 3, 4].map(picture);
  const options = {
    ...DEFAULT_QUANTISE_OPTIONS,
    ...{ weightBits: bits, activationBits: bits },
    input: { minimum: 0, maximum: 255, scaleExponent: 0 },
  };
  return { graph, ...quantiseGraph({ graph, calibration, options }) };
}

const RELU: TestNode = { operator: "Relu", inputs: ["s"], output: "h" };
const POOL: TestNode = {
  ...{ operator: "MaxPool", inputs: ["h"], output: "p" },
  attributes: { kernel_shape: [2, 2], strides: [2, 2] },
};

it("leaves digits of the input out that an activation cannot tell apart, and none elsewhere", () => {
  const readOf = (after: TestNode[], bits: number) => {
    const { nodes } = quantise({ after, bits }).integerModel;
    const layer = nodes.find(({ output }) => output === "s");
    return layer?.kind === "affine" ? layer.input : undefined;
  };
  expect(readOf([RELU, POOL], 8)).toBe("x/upper1");
  expect(readOf([RELU, POOL], 12)).toBe("x");
  expect(readOf([], 8)).toBe("x");
});

it("takes what the digits that it leaves out are on the average into the bias", () => {
  const { graph, integerModel, values } = quantise({ after: [RELU, POOL], bits: 8, mean: 1 });
  expect(integerModel.nodes.find(({ output }) => output === "s")).toMatchObject({
    input: expect.stringMatching("upper"),
  });
  const exponents = values.get("s")?.exponents ?? [];
  const channels = [0, 1].map(() => ({ error: 0, square: 0, count: 0 }));
  for (let seed = 10; seed < 30; seed++) {
    const input = picture(seed);
    const float = runFloatModel({ graph, input }).get("s") ?? [];
    const integers = computeIntegerValues({ integerModel, input: input.map(BigInt) }).get("s");
    for (const [index, x] of float.entries()) {
      const sums = channels[Math.floor((2 * index) / float.length)];
      const error = (integers?.[index] as number) * 2 ** (exponents[index] as number) - x;
      if (sums === undefined) continue;
      sums.error += error;
      sums.square += error ** 2;
      sums.count += 1;
    }
  }
  for (const { error, square, count } of channels) {
    expect(Math.abs(error / count)).toBeLessThan(0.2 * Math.sqrt(square / count));
  }
});

it.each([8, 10])("rounds what is compared to a share of its differences: %i bits", (bits) => {
  const { graph, integerModel } = quantise({ after: [RELU, POOL], bits });
  const signs = [...computeBounds(integerModel).keys()].find((name) =>
    name.endsWith("round1/difference"),
  );
  // the integers stand for a multiple of the differences, another one in each channel
  const channels = [0, 1].map(() => ({ both: 0, integer: 0, float: 0 }));
  for (let seed = 10; seed < 30; seed++) {
    const input = picture(seed);
    const float = runFloatModel({ graph, input }).get(signs ?? "") ?? [];
    const values = computeIntegerValues({ integerModel, input: input.map(BigInt) });
    for (const [index, x] of float.entries()) {
      const q = values.get(signs ?? "")?.[index] as number;
      const sums = channels[Math.floor((2 * index) / float.length)];
      if (sums === undefined) continue;
      sums.both += x * q;
      sums.integer += q ** 2;
      sums.float += x ** 2;
    }
  }
  for (const { both, integer, float } of channels) {
    const share = Math.sqrt(1 - both ** 2 / (integer * float));
    expect(share * 2 ** (bits - 8)).toBeGreaterThan(0.05);
    expect(share * 2 ** (bits - 8)).toBeLessThan(0.18);
  }
});
