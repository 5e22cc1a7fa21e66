import type { IntegerNode } from "@haca/model-runtime/integerModel";
import { affineCircuit } from "./affine.ts";
import { argMax, argMaxCircuit } from "./argMax.ts";
import { averagePool, globalAveragePool } from "./averagePool.ts";
import type { CircuitKind, NodeOf } from "./circuitKind.ts";
import { clip } from "./clip.ts";
import { conv } from "./conv.ts";
import { add, batchNormalization } from "./elementwise.ts";
import type { Operator } from "./kind.ts";
import { gemm, matMul } from "./matrixProduct.ts";
import { relu, reluCircuit, rescaleCircuit } from "./relu.ts";
import { constant, flatten, identity, reshape } from "./reshape.ts";

/** Every supported ONNX operator. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["Add", add],
  ["ArgMax", argMax],
  ["AveragePool", averagePool],
  ["BatchNormalization", batchNormalization],
  ["Clip", clip],
  ["Constant", constant],
  ["Conv", conv],
  ["Flatten", flatten],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAveragePool],
  ["Identity", identity],
  ["MatMul", matMul],
  ["Relu", relu],
  ["Reshape", reshape],
]);

/** The constraints of every kind of integer node. */
const CIRCUITS: { [Kind in IntegerNode["kind"]]: CircuitKind<NodeOf<Kind>> } = {
  affine: affineCircuit,
  argMax: argMaxCircuit,
  relu: reluCircuit,
  rescale: rescaleCircuit,
};

export function circuitOf(node: IntegerNode): CircuitKind<IntegerNode> {
  // the table's type says that the entry is the one for this node; a lookup by a union loses that
  return CIRCUITS[node.kind] as CircuitKind<IntegerNode>;
}
