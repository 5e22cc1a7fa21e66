import { elementCount } from "@haca/model-runtime/integerModel";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import { argMaxNode } from "./argMax.ts";
import { lines } from "./elementwise.ts";
import type { Lowered, Operator, ValueOperand } from "./kind.ts";
import {
  listAttribute,
  numberAttribute,
  requireOperand,
  requireValue,
  shapeMismatch,
  stringsAttribute,
  textAttribute,
  unsupported,
} from "./operands.ts";

/** ai.onnx.ml.Scaler: (x - offset) * scale. */
export const scaler: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const features = x.shape.at(-1) ?? 0;
    const offset = listAttribute(node, "offset", [0]);
    const scale = listAttribute(node, "scale", [1]);
    for (const list of [offset, scale]) {
      if (list.length !== 1 && list.length !== features) {
        throw shapeMismatch({ node, why: `${list.length} numbers for ${features} features` });
      }
    }
    const at = (list: number[], index: number): number =>
      list[list.length === 1 ? 0 : index % features] as number;
    return lines({
      ...x,
      output,
      line: (index) => [at(scale, index), -at(scale, index) * at(offset, index)],
    });
  },
};

/** ai.onnx.ml.LinearRegressor. */
export const linearRegressor: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    requireNoTransform(node);
    const targets = numberAttribute(node, "targets", 1);
    return linear({ node, x, output, outputs: targets });
  },
};

/**
 * ai.onnx.ml.LinearClassifier: the class with the greatest score, and the scores. What makes probabilities of them keeps
 * their order, and ends the model: see `--raw-scores`.
 */
export const linearClassifier: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const { count, names } = readClasses(node);
    const scores = node.outputs[1] || `${output}/scores`;
    const columns = listAttribute(node, "coefficients", []).length / elementCount(x.shape);
    if (columns !== count) {
      throw unsupported({ node, why: `${columns} rows of coefficients for ${count} classes` });
    }
    const layer = linear({ node, x, output: scores, outputs: count });
    return {
      operand: labelOperand({ output, names }),
      further: [{ ...(layer.operand as ValueOperand), ...finalOf(node) }],
      nodes: [
        ...(layer.node === undefined ? [] : [layer.node]),
        argMaxNode({ input: scores, output }),
      ],
    };
  },
};

/** Softmax and LogSoftmax at the end of a model: they keep the order of what they read. */
export const finalActivation: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireValue({ node, operands, index: 0 });
    return { operand: { ...operand, final: { operator: node.operator, node: node.name } } };
  },
};

/** ai.onnx.ml.Normalizer at the end of a model: it divides scores by one positive number. */
export const normalizer: Operator = {
  lower: finalActivation.lower,
  afterFinal: "order",
};

/** ai.onnx.ml.ZipMap: scores with the names of their classes. */
export const zipMap: Operator = {
  lower: ({ node, operands }) => ({ operand: requireOperand({ node, operands, index: 0 }) }),
  afterFinal: "stays",
};

/** ai.onnx.ml.LabelEncoder of a computed class: the index of the class, with the names that it stands for. */
export const labelEncoder: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireValue({ node, operands, index: 0 });
    const keys =
      stringsAttribute(node, "keys_strings") ??
      [...listAttribute(node, "keys_int64s", []), ...listAttribute(node, "keys_floats", [])].map(
        String,
      );
    const values =
      stringsAttribute(node, "values_strings") ??
      [
        ...listAttribute(node, "values_int64s", []),
        ...listAttribute(node, "values_floats", []),
      ].map(String);
    if (operand.isInteger !== true || elementCount(operand.shape) !== 1) {
      throw unsupported({ node, why: "only a class that the model computes can be renamed" });
    }
    const before = operand.classes ?? keys.map((_, index) => String(index));
    const classes = before.map((name) => values[keys.indexOf(name)]);
    if (classes.some((name) => name === undefined)) {
      throw unsupported({ node, why: `its keys [${keys}] do not name all classes [${before}]` });
    }
    return { operand: { ...operand, classes: classes.filter((name) => name !== undefined) } };
  },
};

/** What is done to scores: nothing, or something that ends a model and keeps their order. */
export function finalOf(node: OnnxNode): Pick<ValueOperand, "final"> {
  const transform = textAttribute(node, "post_transform", "NONE");
  if (transform === "NONE") return {};
  if (transform === "PROBIT" || transform === "SOFTMAX_ZERO") {
    throw unsupported({ node, why: `post_transform ${transform} is not supported` });
  }
  return { final: { operator: `${node.operator} (${transform})`, node: node.name } };
}

/** The classes of a classifier; names where they are not 0, 1, 2 … */
export function readClasses(node: OnnxNode): { count: number; names?: string[] } {
  const texts =
    stringsAttribute(node, "classlabels_strings") ??
    stringsAttribute(node, "classlabels_strs") ??
    [];
  const integers = [
    ...listAttribute(node, "classlabels_ints", []),
    ...listAttribute(node, "classlabels_int64s", []),
  ];
  const count = Math.max(texts.length, integers.length);
  if (count < 2) throw unsupported({ node, why: "it has less than two classes" });
  const isCounted = texts.length === 0 && integers.every((label, index) => label === index);
  if (isCounted) return { count };
  return { count, names: texts.length > 0 ? texts : integers.map(String) };
}

/** The index of a class as an operand. */
export function labelOperand(parameters: {
  output: string;
  names: string[] | undefined;
}): ValueOperand {
  const { output, names } = parameters;
  return {
    kind: "value",
    value: output,
    shape: [1],
    isInteger: true,
    ...(names === undefined ? {} : { classes: names }),
  };
}

export function requireNoTransform(node: OnnxNode): void {
  const transform = textAttribute(node, "post_transform", "NONE");
  if (transform !== "NONE") {
    throw unsupported({ node, why: `post_transform ${transform} is not supported` });
  }
}

function linear(parameters: {
  node: OnnxNode;
  x: ValueOperand;
  output: string;
  outputs: number;
}): Lowered {
  const { node, x, output, outputs } = parameters;
  const inputs = elementCount(x.shape);
  const weights = listAttribute(node, "coefficients", []);
  const biases = listAttribute(node, "intercepts", []);
  const fits = biases.length === 0 || biases.length === outputs;
  if (weights.length !== inputs * outputs || !fits) {
    throw shapeMismatch({
      node,
      why: `${weights.length} coefficients and ${biases.length} intercepts do not fit ${inputs} features and ${outputs} outputs`,
    });
  }
  return {
    operand: { kind: "value", value: output, shape: [1, outputs] },
    node: affineNode({
      input: x.value,
      output,
      inputCount: inputs,
      rows: Array.from({ length: outputs }, (_, row) => ({
        indices: Array.from({ length: inputs }, (_, index) => index),
        weights: weights.slice(row * inputs, (row + 1) * inputs),
        bias: biases[row] ?? 0,
      })),
    }),
  };
}
