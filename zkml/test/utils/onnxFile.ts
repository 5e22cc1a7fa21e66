import {
  ATTRIBUTE_FLOAT,
  ATTRIBUTE_FLOATS,
  ATTRIBUTE_INT,
  ATTRIBUTE_INTS,
  ATTRIBUTE_STRINGS,
  ONNX_FLOAT,
  ONNX_INT64,
  onnxModelType,
} from "../../src/onnx/onnxSchema.ts";

export type TestNode = {
  operator: string;
  inputs: string[];
  output: string;
  /** second and further outputs */
  further?: string[];
  name?: string;
  /** a number with a fraction or wrapped in `float` is a float attribute, other numbers are integers */
  attributes?: Record<string, TestAttribute>;
  domain?: string;
};

type TestAttribute =
  | number
  | number[]
  | { float: number }
  | { floats: number[] }
  | { strings: string[] };

export type TestConstant = { shape: number[]; data: number[]; isInt64?: boolean };

/** The bytes of an ONNX file, opset 17, IR version 8. */
export function onnxFile(parameters: {
  /** shape of the input `x`, batch dimension included; a string is a dimension with a name */
  input: (number | string)[];
  inputType?: number;
  nodes: TestNode[];
  constants?: Record<string, TestConstant>;
  /** name -> element type, default float */
  outputs: Record<string, number> | string[];
}): Uint8Array {
  const { input, inputType = ONNX_FLOAT, nodes, constants = {}, outputs } = parameters;
  const outputTypes = Array.isArray(outputs)
    ? outputs.map((name) => [name, ONNX_FLOAT] as const)
    : Object.entries(outputs);
  return onnxModelType
    .encode(
      onnxModelType.fromObject({
        irVersion: 8,
        // Last in the file: one that is imported without being used could be cut off, and nothing would be missing.
        opsetImport: [
          { domain: "", version: 17 },
          ...(nodes.some(({ domain }) => domain !== undefined)
            ? [{ domain: "ai.onnx.ml", version: 3 }]
            : []),
        ],
        graph: {
          name: "test",
          node: nodes.map(
            ({ operator, inputs, output, further = [], name = "", attributes = {}, domain }) => ({
              opType: operator,
              ...(domain === undefined ? {} : { domain }),
              name,
              input: inputs,
              output: [output, ...further],
              attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
            }),
          ),
          initializer: Object.entries(constants).map(([name, { shape, data, isInt64 }]) => ({
            name,
            dims: shape,
            dataType: isInt64 ? ONNX_INT64 : ONNX_FLOAT,
            ...(isInt64 ? { int64Data: data } : { floatData: data }),
          })),
          input: [valueInfo("x", inputType, input)],
          output: outputTypes.map(([name, type]) => valueInfo(name, type)),
        },
      }),
    )
    .finish();
}

function attribute(name: string, value: TestAttribute): object {
  if (Array.isArray(value)) {
    return { name, type: ATTRIBUTE_INTS, ints: value };
  }
  if (typeof value === "object" && "floats" in value) {
    return { name, type: ATTRIBUTE_FLOATS, floats: value.floats };
  }
  if (typeof value === "object" && "strings" in value) {
    const strings = value.strings.map((text) => Buffer.from(text));
    return { name, type: ATTRIBUTE_STRINGS, strings };
  }
  if (typeof value === "object") {
    return { name, type: ATTRIBUTE_FLOAT, f: value.float };
  }
  return { name, type: ATTRIBUTE_INT, i: value };
}

function valueInfo(name: string, elemType: number, shape?: (number | string)[]): object {
  const dim = shape?.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size },
  );
  return {
    name,
    type: { tensorType: { elemType, ...(dim === undefined ? {} : { shape: { dim } }) } },
  };
}

/** A matrix or vector of reproducible numbers in [-1, 1). */
export function noise(shape: number[], seed: number): TestConstant {
  let state = seed >>> 0 || 1;
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
  return { shape, data };
}

/** x -> Gemm -> Relu -> Gemm -> scores, and its ArgMax `label`. */
export function multilayerPerceptron(parameters: {
  inputs: number;
  hidden: number;
  classes: number;
  seed?: number;
}): Uint8Array {
  const { inputs, hidden, classes, seed = 1 } = parameters;
  return onnxFile({
    input: ["batch", inputs],
    nodes: [
      { operator: "Gemm", inputs: ["x", "w1", "b1"], output: "sums", name: "first" },
      { operator: "Relu", inputs: ["sums"], output: "hidden" },
      { operator: "Gemm", inputs: ["hidden", "w2", "b2"], output: "scores", name: "second" },
      {
        operator: "ArgMax",
        inputs: ["scores"],
        output: "label",
        attributes: { axis: 1, keepdims: 0 },
      },
    ],
    constants: {
      w1: noise([inputs, hidden], seed),
      b1: noise([hidden], seed + 1),
      w2: noise([hidden, classes], seed + 2),
      b2: noise([classes], seed + 3),
    },
    outputs: { scores: ONNX_FLOAT, label: ONNX_INT64 },
  });
}

/** x -> (Gemm -> Relu) for every size but the first and the last -> Gemm -> scores; weights by chance, as large as is usual. */
export function deepPerceptron(parameters: {
  sizes: readonly number[];
  seed?: number;
}): Uint8Array {
  const { sizes, seed = 1 } = parameters;
  const nodes: TestNode[] = [];
  const constants: Record<string, ReturnType<typeof noise>> = {};
  for (const [layer, outputs] of sizes.slice(1).entries()) {
    const inputs = sizes[layer] as number;
    const isLast = layer === sizes.length - 2;
    const { shape, data } = noise([inputs, outputs], seed + 2 * layer);
    constants[`w${layer}`] = { shape, data: data.map((w) => Math.fround(w / Math.sqrt(inputs))) };
    constants[`b${layer}`] = noise([outputs], seed + 2 * layer + 1);
    const sums = isLast ? "scores" : `sums${layer}`;
    const x = layer === 0 ? "x" : `hidden${layer - 1}`;
    nodes.push({ operator: "Gemm", inputs: [x, `w${layer}`, `b${layer}`], output: sums });
    if (!isLast) nodes.push({ operator: "Relu", inputs: [sums], output: `hidden${layer}` });
  }
  const input = ["batch", sizes[0] as number];
  return onnxFile({ input, nodes, constants, outputs: ["scores"] });
}

/** A TreeEnsembleRegressor of full trees over `x`, all of whose branches are of the modes that are given, in turn. */
export function forest(parameters: {
  features: number;
  trees: number;
  depth: number;
  modes: readonly string[];
  /** what thresholds are multiplied by */
  scale?: number;
}): TestNode {
  const { features, trees, depth, modes, scale = 1 } = parameters;
  const inner = 2 ** depth - 1;
  const count = 2 ** (depth + 1) - 1;
  const ids = Array.from({ length: trees * count }, (_, at) => at % count);
  const treeids = ids.map((_, at) => Math.floor(at / count));
  const isLeaf = (id: number) => id >= inner;
  const random = noise([ids.length], 1009).data;
  const leaves = ids.flatMap((id, at) => (isLeaf(id) ? [at] : []));
  return {
    operator: "TreeEnsembleRegressor",
    domain: "ai.onnx.ml",
    inputs: ["x"],
    output: "y",
    attributes: {
      n_targets: 1,
      nodes_treeids: treeids,
      nodes_nodeids: ids,
      nodes_featureids: ids.map((id, at) => (isLeaf(id) ? 0 : (7 * at + id) % features)),
      nodes_values: {
        floats: random.map((value, at) => (isLeaf(ids[at] ?? 0) ? 0 : scale * value)),
      },
      nodes_modes: {
        strings: ids.map((id, at) => (isLeaf(id) ? "LEAF" : (modes[at % modes.length] ?? ""))),
      },
      nodes_truenodeids: ids.map((id) => (isLeaf(id) ? 0 : 2 * id + 1)),
      nodes_falsenodeids: ids.map((id) => (isLeaf(id) ? 0 : 2 * id + 2)),
      target_treeids: leaves.map((at) => treeids[at] as number),
      target_nodeids: leaves.map((at) => ids[at] as number),
      target_ids: leaves.map(() => 0),
      target_weights: { floats: leaves.map((at) => random[at] as number) },
    },
  };
}

/** LeNet-5 for pictures of 28x28, with MaxPool. */
export function lenet(): Uint8Array {
  const convolution = (channels: number, inputs: number, seed: number) => {
    const { shape, data } = noise([channels, inputs, 5, 5], seed);
    return { shape, data: data.map((weight) => Math.fround(weight / Math.sqrt(25 * inputs))) };
  };
  const dense = (inputs: number, outputs: number, seed: number) => {
    const { shape, data } = noise([inputs, outputs], seed);
    return { shape, data: data.map((weight) => Math.fround(weight / Math.sqrt(inputs))) };
  };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  return onnxFile({
    input: [1, 1, 28, 28],
    nodes: [
      {
        operator: "Conv",
        inputs: ["x", "c1"],
        output: "s1",
        attributes: { kernel_shape: [5, 5], pads: [2, 2, 2, 2] },
      },
      { operator: "Relu", inputs: ["s1"], output: "h1" },
      { operator: "MaxPool", inputs: ["h1"], output: "p1", attributes: pool },
      {
        operator: "Conv",
        inputs: ["p1", "c2"],
        output: "s2",
        attributes: { kernel_shape: [5, 5] },
      },
      { operator: "Relu", inputs: ["s2"], output: "h2" },
      { operator: "MaxPool", inputs: ["h2"], output: "p2", attributes: pool },
      { operator: "Flatten", inputs: ["p2"], output: "flat" },
      { operator: "MatMul", inputs: ["flat", "w3"], output: "s3" },
      { operator: "Relu", inputs: ["s3"], output: "h3" },
      { operator: "MatMul", inputs: ["h3", "w4"], output: "s4" },
      { operator: "Relu", inputs: ["s4"], output: "h4" },
      { operator: "MatMul", inputs: ["h4", "w5"], output: "scores" },
    ],
    constants: {
      c1: convolution(6, 1, 1),
      c2: convolution(16, 6, 2),
      w3: dense(400, 120, 3),
      w4: dense(120, 84, 4),
      w5: dense(84, 10, 5),
    },
    outputs: ["scores"],
  });
}
