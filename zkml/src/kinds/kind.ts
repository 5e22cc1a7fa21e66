import type { ConstantTensor, OnnxNode } from "../onnx/onnxGraph.ts";
import type { QuantisedValue, Quantiser } from "./quantiser.ts";

/**
 * An ONNX operator: how its nodes become nodes of the compiler's graph. One file of this folder has everything about
 * an operator, and `kinds.ts` lists it; `zkml/README.md` says how to add one.
 */
export type Operator = {
  lower: LowerOperator;
  /** inputs that say how to compute, such as a shape; all other constants count as parameters of the model */
  settings?: readonly number[];
};

/**
 * What one node of the ONNX graph means. Checks attributes and shapes, which include the batch dimension: it is 1 and
 * comes first. Throws `onnx.unsupportedOperator`, `onnx.shapeInvalid`, naming the node.
 */
export type LowerOperator = (parameters: {
  node: OnnxNode;
  /** one per input of the node, undefined for an optional input that is left out */
  operands: (Operand | undefined)[];
  /** the name to give to the value that the returned node computes */
  output: string;
}) => Lowered;

/** What an operator becomes: the operand its output stands for, and the node to add, where something is computed. */
export type Lowered = { operand: Operand; node?: GraphNode };

/** What a name stands for while a graph is built: a value computed from the input, or a constant. */
export type Operand =
  | { kind: "value"; value: string; shape: number[] }
  | { kind: "constant"; tensor: ConstantTensor };

/** A node of the compiler's graph: one value from one value, both flat row-major vectors. */
export type GraphNode = {
  input: string;
  output: string;
  /** the float reference */
  compute: (input: readonly number[]) => number[];
  /**
   * Adds nodes of the integer model that compute `output` from `input`, and returns what it is there. The kinds of
   * integer node are those of `model-runtime/`; each has its exact arithmetic and its growth there.
   */
  quantise: (quantiser: Quantiser) => QuantisedValue;
  /** the same as a matrix, for a node that is one: it can be merged with its neighbours */
  affine?: AffineMap;
};

/** output[row] = bias + sum of weight * input[index] */
export type AffineMap = { inputCount: number; rows: AffineRow[] };

export type AffineRow = { indices: number[]; weights: number[]; bias: number };
