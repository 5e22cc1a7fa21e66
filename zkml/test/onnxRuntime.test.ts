import { elementCount } from "@haca/model-runtime/integerModel";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { buildGraph } from "../src/kinds/buildGraph.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { readDigits } from "./utils/digits.ts";
import { multilayerPerceptron, noise, onnxFile } from "./utils/onnxFile.ts";

/** Largest difference between our outputs and ONNX Runtime's, relative to the greatest output. */
async function largestDifference(parameters: {
  onnx: Uint8Array;
  inputs: number[][];
}): Promise<number> {
  const { onnx, inputs } = parameters;
  const graph = buildGraph(parseOnnx(onnx));
  const session = await InferenceSession.create(onnx);
  let difference = 0;
  for (const input of inputs) {
    const feeds = {
      [graph.input.name]: new Tensor("float32", Float32Array.from(input), [
        1,
        ...graph.input.shape,
      ]),
    };
    const expected = await session.run(feeds);
    const values = runFloatModel({ graph, input });
    for (const { name, value, shape } of graph.outputs) {
      const reference = Array.from(expected[name]?.data as Float32Array, Number);
      const ours = values.get(value) ?? [];
      expect(ours).toHaveLength(reference.length);
      expect(elementCount(shape)).toBe(reference.length);
      const size = Math.max(1, ...reference.map(Math.abs));
      for (const [index, x] of reference.entries()) {
        difference = Math.max(difference, Math.abs(x - (ours[index] ?? Number.NaN)) / size);
      }
    }
  }
  await session.release();
  return difference;
}

describe("the float model agrees with ONNX Runtime", () => {
  it("on a multilayer perceptron with ArgMax", async () => {
    const inputs = [1, 2, 3, 4, 5].map((seed) => noise([20], seed).data);
    const onnx = multilayerPerceptron({ inputs: 20, hidden: 16, classes: 5 });
    expect(await largestDifference({ onnx, inputs })).toBeLessThan(1e-5);
  });

  it("on every supported operator", async () => {
    const onnx = onnxFile({
      input: [1, 2, 6],
      nodes: [
        { operator: "Flatten", inputs: ["x"], output: "flat" },
        { operator: "Identity", inputs: ["flat"], output: "same" },
        { operator: "MatMul", inputs: ["same", "w1"], output: "product" },
        { operator: "Add", inputs: ["b1", "product"], output: "sums" },
        { operator: "Relu", inputs: ["sums"], output: "hidden" },
        { operator: "Reshape", inputs: ["hidden", "shape"], output: "square" },
        { operator: "Add", inputs: ["square", "b2"], output: "shifted" },
        { operator: "Flatten", inputs: ["shifted"], output: "again" },
        {
          operator: "Gemm",
          inputs: ["again", "w2", "c"],
          output: "scores",
          attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
        },
        { operator: "ArgMax", inputs: ["scores"], output: "label", attributes: { axis: 1 } },
      ],
      constants: {
        w1: noise([12, 9], 1),
        b1: noise([9], 2),
        shape: { shape: [3], data: [0, 3, -1], isInt64: true },
        b2: noise([3, 1], 3),
        w2: noise([4, 9], 4),
        c: noise([1, 4], 5),
      },
      outputs: { scores: 1, label: 7 },
    });
    const inputs = [6, 7, 8, 9].map((seed) => noise([12], seed).data);
    expect(await largestDifference({ onnx, inputs })).toBeLessThan(1e-5);
  });

  it("on convolutions, pools and batch normalisation", async () => {
    const onnx = onnxFile({
      input: [1, 2, 7, 6],
      nodes: [
        {
          operator: "Conv",
          inputs: ["x", "w1", "b1"],
          output: "c1",
          attributes: { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] },
        },
        { operator: "BatchNormalization", inputs: ["c1", "s", "t", "m", "v"], output: "n1" },
        { operator: "Relu", inputs: ["n1"], output: "r1" },
        { operator: "Conv", inputs: ["r1", "w2"], output: "c2", attributes: { group: 2 } },
        {
          operator: "AveragePool",
          inputs: ["c2"],
          output: "p2",
          attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0], strides: [1, 1] },
        },
        {
          operator: "AveragePool",
          inputs: ["p2"],
          output: "p3",
          attributes: { kernel_shape: [2, 2], pads: [0, 1, 1, 0], count_include_pad: 1 },
        },
        { operator: "GlobalAveragePool", inputs: ["p3"], output: "g" },
      ],
      constants: {
        w1: noise([4, 2, 3, 2], 1),
        b1: noise([4], 2),
        s: noise([4], 3),
        t: noise([4], 4),
        m: noise([4], 5),
        v: { shape: [4], data: [0.5, 1, 2, 0.1] },
        w2: noise([2, 2, 2, 2], 6),
      },
      outputs: ["p2", "p3", "g"],
    });
    const inputs = [7, 8, 9].map((seed) => noise([84], seed).data);
    expect(await largestDifference({ onnx, inputs })).toBeLessThan(1e-5);
  });

  it("on clipped values", async () => {
    const onnx = onnxFile({
      input: [1, 6],
      nodes: [
        { operator: "Clip", inputs: ["x", "low", "high"], output: "both" },
        { operator: "Clip", inputs: ["x", "low"], output: "below" },
        { operator: "Clip", inputs: ["x", "", "high"], output: "above" },
      ],
      constants: { low: { shape: [], data: [-0.25] }, high: { shape: [], data: [0.5] } },
      outputs: ["both", "below", "above"],
    });
    const inputs = [1, 2, 3].map((seed) => noise([6], seed).data);
    expect(await largestDifference({ onnx, inputs })).toBeLessThan(1e-5);
  });

  it("on the digits model and its test images", async () => {
    const { onnx, images } = readDigits();
    expect(await largestDifference({ onnx, inputs: images.slice(0, 100) })).toBeLessThan(1e-5);
  });
});
