/**
 * The compiler's view of a model: one input, values that are flat row-major vectors, and three kinds of node.
 * Reshapes are gone (order does not change), constants are folded, the batch dimension is 1.
 */
export type IrGraph = {
  name: string;
  input: IrValue;
  /** in the order of the ONNX file */
  outputs: IrOutput[];
  /** in an order in which every node comes after those it reads */
  nodes: IrNode[];
  /** numbers in the ONNX initialisers that the graph uses */
  parameters: number;
};

/** A value; `shape` has no batch dimension. */
export type IrValue = { name: string; shape: number[] };

/** An output of the model and the value that it shows. */
export type IrOutput = IrValue & { value: string };

export type IrNode = AffineNode | ReluNode | ArgMaxNode;

/** output[row] = bias + sum of weight * input[index]: what Gemm, MatMul, Conv, Add of a constant … become. */
export type AffineNode = {
  kind: "affine";
  input: string;
  output: string;
  inputCount: number;
  rows: AffineRow[];
};

export type AffineRow = { indices: number[]; weights: number[]; bias: number };

/** output[i] = max(0, input[i]) */
export type ReluNode = { kind: "relu"; input: string; output: string };

/** output = index of the greatest input, of the first where several are equal */
export type ArgMaxNode = { kind: "argMax"; input: string; output: string };
