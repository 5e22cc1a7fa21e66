import type { LowerOperator } from "./operator.ts";
import { lowerAdd } from "./operators/add.ts";
import { lowerArgMax } from "./operators/argMax.ts";
import { lowerAveragePool, lowerGlobalAveragePool } from "./operators/averagePool.ts";
import { lowerBatchNormalization } from "./operators/batchNormalization.ts";
import { lowerConstant } from "./operators/constant.ts";
import { lowerConv } from "./operators/conv.ts";
import { lowerFlatten } from "./operators/flatten.ts";
import { lowerGemm } from "./operators/gemm.ts";
import { lowerIdentity } from "./operators/identity.ts";
import { lowerMatMul } from "./operators/matMul.ts";
import { lowerRelu } from "./operators/relu.ts";
import { lowerReshape } from "./operators/reshape.ts";

/** Every supported ONNX operator. To add one: a file in `operators/` and a line here. */
export const OPERATORS: ReadonlyMap<string, LowerOperator> = new Map([
  ["Add", lowerAdd],
  ["ArgMax", lowerArgMax],
  ["AveragePool", lowerAveragePool],
  ["BatchNormalization", lowerBatchNormalization],
  ["Constant", lowerConstant],
  ["Conv", lowerConv],
  ["Flatten", lowerFlatten],
  ["Gemm", lowerGemm],
  ["GlobalAveragePool", lowerGlobalAveragePool],
  ["Identity", lowerIdentity],
  ["MatMul", lowerMatMul],
  ["Relu", lowerRelu],
  ["Reshape", lowerReshape],
]);
