import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildGraph, findObstacles } from "../src/kinds/buildGraph.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { OPERATORS } from "../src/kinds/kinds.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { noise, onnxFile } from "./utils/onnxFile.ts";

type File = Parameters<typeof onnxFile>[0];

const build = (file: File) => buildGraph(parseOnnx(onnxFile(file)));

/** A graph of one node over input `x`. */
const single = (parameters: {
  input?: File["input"];
  operator: string;
  inputs?: string[];
  attributes?: NonNullable<File["nodes"][number]["attributes"]>;
  constants?: NonNullable<File["constants"]>;
}): File => {
  const { input = [1, 4], operator, inputs = ["x"], attributes = {}, constants = {} } = parameters;
  return {
    input,
    nodes: [{ operator, name: "node", inputs, output: "y", attributes }],
    constants,
    outputs: ["y"],
  };
};

describe("a MaxPool over an activation", () => {
  const pooled = (parameters: {
    activation?: string;
    attributes?: File["nodes"][number]["attributes"];
    strides?: number[];
    outputs?: string[];
    isSwapped?: boolean;
  }) => {
    const { activation = "Relu", strides = [2, 2], outputs = ["y"], isSwapped } = parameters;
    const pool = (inputs: string[], output: string) => ({
      ...{ operator: "MaxPool", name: "pool", inputs, output },
      attributes: { kernel_shape: [2, 2], strides },
    });
    const bend = (inputs: string[], output: string) => ({
      ...{ operator: activation, name: "bend", inputs, output },
      ...(parameters.attributes === undefined ? {} : { attributes: parameters.attributes }),
    });
    return build({
      input: [1, 1, 6, 6],
      nodes: [
        { operator: "Conv", inputs: ["x", "k"], output: "s" },
        ...(isSwapped === true
          ? [pool(["s"], "h"), bend(["h"], "y")]
          : [bend(["s"], "h"), pool(["h"], "y")]),
      ],
      constants: { k: noise([2, 1, 3, 3], 1) },
      outputs,
    });
  };
  const shapeOf = ({ nodes }: ReturnType<typeof pooled>) =>
    nodes.map(({ inputs, output, pairs, affine }) => [inputs, output, pairs, affine]);
  const alpha = (float: number) => ({ attributes: { alpha: { float } } });

  it.each([
    ["Relu", {}],
    ["LeakyRelu", alpha(0.25)],
    ["Elu", alpha(0.5)],
    ["Tanh", {}],
  ])("is computed before it, with the same result: %s", (activation, rest) => {
    const graph = pooled({ activation, ...rest });
    expect(shapeOf(graph)).toEqual(shapeOf(pooled({ activation, ...rest, isSwapped: true })));
    // the order of the file, which an output that shows the activation keeps
    const kept = pooled({ activation, ...rest, outputs: ["y", "h"] });
    const input = noise([36], 5).data;
    const [first, second] = [graph, kept].map((one) =>
      runFloatModel({ graph: one, input }).get("y"),
    );
    // a curve is read off the distance to its first bend, which rounds
    expect(first).toEqual(second?.map((value) => expect.closeTo(value, 12)));
    expect(first).toHaveLength(8);
  });

  it.each([
    ["falls", { activation: "LeakyRelu", ...alpha(-0.25) }],
    ["is read by others", { outputs: ["y", "h"] }],
    ["has elements in several windows", { strides: [1, 1] }],
  ])("stays behind one that %s", (_, given) => {
    expect(shapeOf(pooled(given))).not.toEqual(shapeOf(pooled({ ...given, isSwapped: true })));
    const h = pooled(given).nodes.find(({ output }) => output.startsWith("h"));
    expect(h?.inputs).toEqual(["s"]);
  });
});

describe("buildGraph", () => {
  it.each([
    ["a view without batch", [-1], [4]],
    ["rows of its own", [2, 2], [2, 2]],
    ["a batch", [1, 4], [4]],
    ["one number a row", [4, 1, 1], [4, 1, 1]],
  ])("keeps all elements of an output that ends in %s", (_, target, expected) => {
    const shape = { shape: [target.length], data: target, isInt64: true };
    const graph = build(
      single({ operator: "Reshape", inputs: ["x", "shape"], constants: { shape } }),
    );
    expect(graph.outputs[0]?.shape).toEqual(expected);
  });

  it("shows the scores before a final Softmax where it is asked to, and says so", () => {
    const file = single({ operator: "Softmax" });
    const graph = buildGraph(parseOnnx(onnxFile(file)), { rawScores: true });
    expect(graph.outputs).toEqual([{ name: "y", shape: [4], value: "x", stripped: "Softmax" }]);
    expect(() => build(file)).toThrow(/--raw-scores shows the scores before it as output "y"/);
  });

  it("finds all obstacles at once, each with its node", () => {
    const onnx = parseOnnx(
      onnxFile({
        input: [1, 4],
        nodes: [
          { operator: "LSTM", name: "memory", inputs: ["x"], output: "m" },
          { operator: "Relu", name: "fine", inputs: ["m"], output: "f" },
          { operator: "Pow", name: "square", inputs: ["f", "two"], output: "s" },
          { operator: "MatMul", name: "product", inputs: ["x", "w"], output: "p" },
          { operator: "Add", name: "lost", inputs: ["x", "nowhere"], output: "l" },
        ],
        constants: { two: { shape: [], data: [2] }, w: noise([3, 2], 1) },
        outputs: ["s", "p", "l", "gone"],
      }),
    );
    const found = findObstacles(onnx).map(({ node, operator, code }) => [node, operator, code]);
    expect(found).toEqual([
      ["memory", "LSTM", "onnx.unsupportedOperator"],
      ["square", "Pow", "onnx.unsupportedOperator"],
      ["product", "MatMul", "onnx.shapeInvalid"],
      ["lost", "Add", "onnx.valueMissing"],
      [undefined, undefined, "onnx.valueMissing"],
    ]);
  });

  it("folds MatMul and Add into one layer, and drops what nothing reads", () => {
    const graph = build({
      input: ["N", 2, 2],
      nodes: [
        { operator: "Flatten", inputs: ["x"], output: "flat" },
        { operator: "MatMul", inputs: ["flat", "w"], output: "product" },
        { operator: "Add", inputs: ["b", "product"], output: "y" },
        { operator: "Relu", inputs: ["product"], output: "unused" },
      ],
      constants: {
        w: { shape: [4, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] },
        b: { shape: [2], data: [10, 20] },
      },
      outputs: ["y"],
    });
    const y = runFloatModel({ graph, input: [1, 0, 0, 1] }).get("y");
    expect(y).toEqual([1 + 7 + 10, 2 + 8 + 20]);
    expect(graph.input.shape).toEqual([2, 2]);
  });

  it("keeps a sum apart that another node reads before the bias is added", () => {
    const graph = build({
      input: [1, 2],
      nodes: [
        { operator: "MatMul", inputs: ["x", "w"], output: "product" },
        { operator: "Add", inputs: ["product", "b"], output: "y" },
      ],
      constants: { w: { shape: [2, 1], data: [1, 1] }, b: { shape: [1], data: [5] } },
      outputs: ["product", "y"],
    });
    const values = runFloatModel({ graph, input: [2, 3] });
    expect([values.get("product"), values.get("y")]).toEqual([[5], [10]]);
  });

  it.each([
    [{}, [1 * 1 + 2 * 3 + 1, 1 * 2 + 2 * 4 + 2]],
    [{ transB: 1 }, [1 * 1 + 2 * 2 + 1, 1 * 3 + 2 * 4 + 2]],
    [{ alpha: { float: 2 }, beta: { float: -1 } }, [2 * 7 - 1, 2 * 10 - 2]],
  ])("computes Gemm with %o", (attributes, expected) => {
    const graph = build(
      single({
        input: [1, 2],
        operator: "Gemm",
        inputs: ["x", "w", "c"],
        attributes,
        constants: { w: { shape: [2, 2], data: [1, 2, 3, 4] }, c: { shape: [2], data: [1, 2] } },
      }),
    );
    expect(runFloatModel({ graph, input: [1, 2] }).get("y")).toEqual(expected);
  });

  it("takes the lowest index of equal maxima", () => {
    const graph = build(single({ operator: "ArgMax", attributes: { axis: -1, keepdims: 0 } }));
    expect(runFloatModel({ graph, input: [1, 7, 7, 0] }).get("y")).toEqual([1]);
    expect(graph.outputs[0]?.shape).toEqual([]);
  });

  it.each([
    ["by inputs", { inputs: ["x", "low", "high"] }, [-1, -0.5, 2, 1.5]],
    ["at the minimum only", { inputs: ["x", "low"] }, [-1, -0.5, 3, 1.5]],
    ["at the maximum only", { inputs: ["x", "", "high"] }, [-4, -0.5, 2, 1.5]],
    ["by attributes", { attributes: { min: { float: 0 }, max: { float: 1 } } }, [0, 0, 1, 1]],
    ["nowhere", {}, [-4, -0.5, 3, 1.5]],
    ["nowhere, as exporters write it", { inputs: ["x", "lowest"] }, [-4, -0.5, 3, 1.5]],
  ])("clips %s", (_, change, expected) => {
    const number = (value: number) => ({ shape: [], data: [value] });
    const graph = build(
      single({
        operator: "Clip",
        constants: { low: number(-1), high: number(2), lowest: number(-3.4028234663852886e38) },
        ...change,
      }),
    );
    const [output] = graph.outputs;
    expect(runFloatModel({ graph, input: [-4, -0.5, 3, 1.5] }).get(output?.value ?? "")).toEqual(
      expected,
    );
    expect(output?.shape).toEqual([4]);
  });

  it("counts no limits and no shapes as parameters", () => {
    const constants = { low: { shape: [], data: [0] } };
    expect(build(single({ operator: "Clip", inputs: ["x", "low"], constants })).parameters).toBe(0);
  });

  it("infers shapes through Reshape", () => {
    const shape = { shape: [3], data: [0, 2, -1], isInt64: true };
    const graph = build(
      single({ operator: "Reshape", inputs: ["x", "shape"], constants: { shape } }),
    );
    expect(graph.outputs[0]).toMatchObject({ shape: [2, 2], value: "x" });
  });

  const matrix = { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] };
  const shape = (data: number[]) => ({ shape: [data.length], data, isInt64: true });
  const cases: [string, string, RegExp, File][] = [
    [
      "an unknown operator",
      "onnx.unsupportedOperator",
      /node node: operator Softmax/,
      single({ operator: "Softmax" }),
    ],
    [
      "a product that does not fit",
      "onnx.shapeInvalid",
      /node node: MatMul: \[1,4\] by \[3,2\]/,
      single({ operator: "MatMul", inputs: ["x", "w"], constants: { w: matrix } }),
    ],
    [
      "a Gemm that does not fit",
      "onnx.shapeInvalid",
      /node node: Gemm: \[1, 4\] by \[3, 2\]/,
      single({ operator: "Gemm", inputs: ["x", "w"], constants: { w: matrix } }),
    ],
    [
      "a bias that does not fit",
      "onnx.shapeInvalid",
      /C has shape \[3\]/,
      single({
        input: [1, 3],
        operator: "Gemm",
        inputs: ["x", "w", "c"],
        constants: { w: matrix, c: noise([3], 1) },
      }),
    ],
    [
      "a product of two computed values",
      "onnx.unsupportedOperator",
      /node node: Mul: a product of two computed values is not supported/,
      single({ operator: "Mul", inputs: ["x", "x"] }),
    ],
    [
      "an Add that does not broadcast",
      "onnx.shapeInvalid",
      /\[3\] does not broadcast/,
      single({ operator: "Add", inputs: ["x", "b"], constants: { b: noise([3], 1) } }),
    ],
    [
      "a division by a computed value",
      "onnx.unsupportedOperator",
      /node node: Div: the divisor is computed/,
      single({
        operator: "Div",
        inputs: ["c", "x"],
        constants: { c: { shape: [1], data: [1] } },
      }),
    ],
    [
      "a division by 0",
      "onnx.unsupportedOperator",
      /node node: Div: it divides by 0/,
      single({ operator: "Div", inputs: ["x", "c"], constants: { c: { shape: [1], data: [0] } } }),
    ],
    [
      "a constant that is infinite",
      "onnx.unsupportedOperator",
      /node node: Add: tensor c: element 0 is -Infinity/,
      single({
        operator: "Add",
        inputs: ["x", "c"],
        constants: { c: { shape: [1], data: [Number.NEGATIVE_INFINITY] } },
      }),
    ],
    [
      "a product that would fill the memory",
      "onnx.tooLarge",
      /node node: MatMul: \[1,65536,65536\] has more than/,
      single({
        input: [1, 65536, 1],
        operator: "MatMul",
        inputs: ["x", "w"],
        constants: { w: noise([1, 65536], 1) },
      }),
    ],
    [
      "a window that would fill the memory",
      "onnx.tooLarge",
      /node node: MaxPool/,
      single({
        input: [1, 1, 4096, 4096],
        operator: "MaxPool",
        attributes: { kernel_shape: [2000, 2000] },
      }),
    ],
    [
      "a cycle",
      "onnx.valueMissing",
      /node a: input "z" is computed by node b, which comes later or reads this one/,
      {
        input: [1, 2],
        nodes: [
          { operator: "Add", name: "a", inputs: ["x", "z"], output: "y" },
          { operator: "Relu", name: "b", inputs: ["y"], output: "z" },
        ],
        outputs: ["z"],
      },
    ],
    [
      "a Softmax in the middle",
      "onnx.unsupportedOperator",
      /node p: operator Softmax is supported at the end of a model only .* node r reads it/,
      {
        input: [1, 2],
        nodes: [
          { operator: "Softmax", name: "p", inputs: ["x"], output: "y" },
          { operator: "Relu", name: "r", inputs: ["y"], output: "z" },
        ],
        outputs: ["z"],
      },
    ],
    [
      "a recurrent layer, with what would help",
      "onnx.unsupportedOperator",
      /node node: operator LSTM is not supported: .*without recurrence/,
      single({ operator: "LSTM", inputs: ["x", "x"] }),
    ],
    [
      "a missing initialiser",
      "onnx.valueMissing",
      /node node: input "w"/,
      single({ operator: "MatMul", inputs: ["x", "w"] }),
    ],
    [
      "a missing operand",
      "onnx.valueMissing",
      /MatMul needs input 1/,
      single({ operator: "MatMul" }),
    ],
    [
      "limits in the wrong order",
      "onnx.unsupportedOperator",
      /node node: Clip: the minimum 3 is above the maximum 1/,
      single({
        operator: "Clip",
        inputs: ["x", "a", "b"],
        constants: { a: { shape: [], data: [3] }, b: { shape: [], data: [1] } },
      }),
    ],
    [
      "a limit for each element",
      "onnx.unsupportedOperator",
      /min must be one number, it has 4/,
      single({ operator: "Clip", inputs: ["x", "a"], constants: { a: noise([4], 1) } }),
    ],
    [
      "an impossible Reshape",
      "onnx.shapeInvalid",
      /\[1,4\] cannot become \[1,3\]/,
      single({ operator: "Reshape", inputs: ["x", "s"], constants: { s: shape([1, 3]) } }),
    ],
    [
      "two unknown sizes in Reshape",
      "onnx.shapeInvalid",
      /cannot become/,
      single({ operator: "Reshape", inputs: ["x", "s"], constants: { s: shape([-1, -1]) } }),
    ],
    [
      "select_last_index",
      "onnx.unsupportedOperator",
      /select_last_index/,
      single({ operator: "ArgMax", attributes: { axis: 1, select_last_index: 1 } }),
    ],
    [
      "several maxima",
      "onnx.unsupportedOperator",
      /more than one maximum/,
      single({ input: [1, 2, 2], operator: "ArgMax", attributes: { axis: 1 } }),
    ],
    [
      "an attribute of a wrong type",
      "onnx.unsupportedAttribute",
      /attribute axis must be a number/,
      single({ operator: "Flatten", attributes: { axis: [1] } }),
    ],
    [
      "an open dimension other than the batch",
      "onnx.inputUnsupported",
      /shape \[\?,\?\]/,
      single({ input: ["N", "M"], operator: "Relu" }),
    ],
    [
      "a fixed batch above 1",
      "onnx.inputUnsupported",
      /batch dimension is fixed at 8/,
      single({ input: [8, 4], operator: "Relu" }),
    ],
    [
      "no dimension but the batch",
      "onnx.inputUnsupported",
      /batch dimension and fixed sizes/,
      single({ input: [1], operator: "Relu" }),
    ],
    [
      "an enormous input",
      "onnx.inputUnsupported",
      /more than/,
      single({ input: [1, 2 ** 20, 2 ** 20], operator: "Relu" }),
    ],
    [
      "an integer input",
      "onnx.inputUnsupported",
      /element type 7/,
      { ...single({ operator: "Relu" }), inputType: 7 },
    ],
    [
      "a convolution whose groups do not fit",
      "onnx.shapeInvalid",
      /2 channels in 3 groups/,
      single({
        input: [1, 2, 4, 4],
        operator: "Conv",
        inputs: ["x", "w"],
        attributes: { group: 3 },
        constants: { w: noise([3, 1, 2, 2], 1) },
      }),
    ],
    [
      "a window larger than the image",
      "onnx.shapeInvalid",
      /window of \[5,5\] does not fit \[4,4\]/,
      single({
        input: [1, 2, 4, 4],
        operator: "AveragePool",
        attributes: { kernel_shape: [5, 5] },
      }),
    ],
    [
      "a window of other dimensions",
      "onnx.unsupportedOperator",
      /node node: AveragePool: needs an image or a signal of batch 1, got \[1,2,4\]/,
      single({ input: [1, 2, 4], operator: "AveragePool", attributes: { kernel_shape: [2, 2] } }),
    ],
    [
      "a stride of 0",
      "onnx.unsupportedOperator",
      /at least 1/,
      single({
        input: [1, 2, 4, 4],
        operator: "AveragePool",
        attributes: { kernel_shape: [2, 2], strides: [0, 1] },
      }),
    ],
    [
      "padding as large as the window",
      "onnx.unsupportedOperator",
      /pads \[0,0,0,2\]/,
      single({
        input: [1, 2, 4, 4],
        operator: "AveragePool",
        attributes: { kernel_shape: [2, 2], pads: [0, 0, 0, 2] },
      }),
    ],
    [
      "ceil_mode where padding counts",
      "onnx.unsupportedOperator",
      /ceil_mode/,
      single({
        input: [1, 2, 4, 4],
        operator: "AveragePool",
        attributes: { kernel_shape: [2, 2], ceil_mode: 1, count_include_pad: 1 },
      }),
    ],
    [
      "batch normalisation of other channels",
      "onnx.shapeInvalid",
      /do not have 2 elements/,
      single({
        input: [1, 2, 4, 4],
        operator: "BatchNormalization",
        inputs: ["x", "c", "c", "c", "c"],
        constants: { c: noise([3], 1) },
      }),
    ],
    [
      "an output that nothing computes",
      "onnx.valueMissing",
      /output "z"/,
      { ...single({ operator: "Relu" }), outputs: ["z"] },
    ],
    [
      "an output that is constant",
      "onnx.shapeInvalid",
      /does not depend on the input/,
      { ...single({ operator: "Relu", constants: { c: noise([1], 1) } }), outputs: ["c"] },
    ],
    ["no output", "onnx.malformed", /no output/, { ...single({ operator: "Relu" }), outputs: [] }],
  ];
  it.each(cases)("refuses %s", (_, code, message, file) => {
    expect(() => build(file)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it("refuses a value that is defined twice", () => {
    const node = { operator: "Relu", inputs: ["x"], output: "y" };
    expect(() => build({ input: [1, 2], nodes: [node, node], outputs: ["y"] })).toThrow(
      expect.objectContaining({ code: "onnx.malformed" }),
    );
  });
});

it("is documented: docs/zkml.md has a line for every operator", () => {
  const page = readFileSync(new URL("../../docs/zkml.md", import.meta.url), "utf8");
  const section = page.split("## Supported operators")[1]?.split("\n## ")[0] ?? "";
  const listed = [...section.matchAll(/^\| `([\w.]+)`/gm)].map(([, name]) => name);
  expect(listed).toEqual([...OPERATORS.keys()]);
});
