import {
  ATTRIBUTE_FLOAT,
  ATTRIBUTE_INT,
  ATTRIBUTE_INTS,
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
  attributes?: Record<string, number | number[] | { float: number }>;
};

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
        opsetImport: [{ domain: "", version: 17 }],
        graph: {
          name: "test",
          node: nodes.map(
            ({ operator, inputs, output, further = [], name = "", attributes = {} }) => ({
              opType: operator,
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

function attribute(name: string, value: number | number[] | { float: number }): object {
  if (Array.isArray(value)) {
    return { name, type: ATTRIBUTE_INTS, ints: value };
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
