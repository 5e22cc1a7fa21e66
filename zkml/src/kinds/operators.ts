import { lowerAdd } from "./add.ts";
import { lowerArgMax } from "./argMax.ts";
import { lowerAveragePool, lowerGlobalAveragePool } from "./averagePool.ts";
import { lowerBatchNormalization } from "./batchNormalization.ts";
import { lowerConstant } from "./constant.ts";
import { lowerConv } from "./conv.ts";
import { lowerFlatten } from "./flatten.ts";
import { lowerGemm } from "./gemm.ts";
import { lowerIdentity } from "./identity.ts";
import { lowerMatMul } from "./matMul.ts";
import type { LowerOperator } from "./operator.ts";
import { lowerRelu } from "./relu.ts";
import { lowerReshape } from "./reshape.ts";

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
