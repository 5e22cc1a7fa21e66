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
  /**
   * set where it can read what a final activation such as Softmax would give: its order only, or (`stays`) without
   * looking, so that its own output is such a value too
   */
  afterFinal?: "order" | "stays";
};

/**
 * What one node of the ONNX graph means. Checks attributes and shapes, which include the batch dimension: it is 1 and
 * comes first. Throws `onnx.unsupportedOperator`, `onnx.shapeInvalid`, naming the node.
 */
export type LowerOperator = (parameters: {
  node: OnnxNode;
  /** one per input of the node, undefined for an optional input that is left out */
  operands: (Operand | undefined)[];
  /** the name to give to the value that the node computes; values between are named `<output>/<what>` */
  output: string;
  /** the operator set of the file */
  opset: number;
}) => Lowered;

/** What an operator becomes: the operand its output stands for, and the nodes to add, where something is computed. */
export type Lowered = {
  operand: Operand;
  node?: GraphNode;
  /** where one node is not enough, in the order in which they are computed */
  nodes?: GraphNode[];
  /** what the second and further outputs stand for */
  further?: Operand[];
};

/** What a name stands for while a graph is built: a value computed from the input, or a constant. */
export type Operand = ValueOperand | ConstantOperand;

export type ConstantOperand = { kind: "constant"; tensor: ConstantTensor };

export type ValueOperand = {
  kind: "value";
  value: string;
  shape: number[];
  /** set on what a final activation gives: it can only be an output, and `raw` (the scores before it) is shown */
  final?: { operator: string; node: string };
  /** names of classes, by the index that the value is */
  classes?: string[];
  /** set on what QuantizeLinear gives: DequantizeLinear alone can read it */
  isQuantised?: boolean;
  /** whether its elements are whole numbers */
  isInteger?: boolean;
};

/** A node of the compiler's graph: one value from others; all are flat row-major vectors. */
export type GraphNode = {
  /** the values that it reads, one after the other */
  inputs: string[];
  output: string;
  /** the float reference, from the elements of all inputs */
  compute: (input: readonly number[]) => number[];
  /**
   * Adds nodes of the integer model that compute `output` from `inputs`, and returns what it is there. The kinds of
   * integer node are those of `model-runtime/`; each has its exact arithmetic and its growth there.
   */
  quantise: (quantiser: Quantiser) => QuantisedValue;
  /** the same as a matrix, for a node that is one: it can be merged with its neighbours */
  affine?: AffineMap;
  /** it divides what it reads to the bits of an activation, element by element: scales before it follow from it */
  isActivation?: boolean;
  /** it compares the elements of what it reads with each other: they get one scale */
  isComparison?: boolean;
  /** each of its elements is one of two of the last value that it reads */
  pairs?: [first: number, second: number][];
  /** so many elements in a row belong to one channel, where it is no matrix; default 1 */
  channelSize?: number;
  /** only signs depend on it */
  isSign?: boolean;
};

/** output[row] = bias + sum of weight * input[index] */
export type AffineMap = {
  inputCount: number;
  rows: AffineRow[];
  /** so many elements in a row belong to one channel and share a scale; default 1 */
  channelSize?: number;
  /** its rows join the two sides of a bend: merged into all affine nodes that read them */
  isBend?: boolean;
  /** it stands for what a comparison of elements needs of them: merged into the sums that these are, and rounded more coarsely */
  rough?: RoughMap;
};

/** What is compared roughly: the value it stands for, and the first differences of its elements, as many for each channel. */
export type RoughMap = {
  of: string;
  differences: string;
  pairs: [first: number, second: number][];
  channels: number;
};

export type AffineRow = { indices: number[]; weights: number[]; bias: number };
