import type { IntegerNode } from "@haca/model-runtime/integerModel";
import { absolute, hardSigmoid, leakyRelu, maximum, minimum, pRelu } from "./activations.ts";
import { affineCircuit } from "./affine.ts";
import { argMax, argMaxCircuit, argMin } from "./argMax.ts";
import { averagePool, globalAveragePool } from "./averagePool.ts";
import { partsCircuit } from "./bend.ts";
import type { CircuitKind, NodeOf } from "./circuitKind.ts";
import {
  finalActivation,
  labelEncoder,
  linearClassifier,
  linearRegressor,
  normalizer,
  scaler,
  zipMap,
} from "./classical.ts";
import { clip } from "./clip.ts";
import { concatCircuit } from "./concat.ts";
import { conv } from "./conv.ts";
import { elu, sigmoid, softplus, tanh } from "./curves.ts";
import { add, batchNormalization, divide, multiply, negate, subtract, sum } from "./elementwise.ts";
import { floorCircuit } from "./floor.ts";
import type { Operator } from "./kind.ts";
import { leavesCircuit } from "./leaves.ts";
import { gemm, matMul, reduceMean, reduceSum } from "./matrixProduct.ts";
import { maxPool } from "./maxPool.ts";
import { pickCircuit } from "./pick.ts";
import { dequantizeLinear, quantizeLinear } from "./quantiseLinear.ts";
import { relu, reluCircuit, rescaleCircuit } from "./relu.ts";
import {
  cast,
  constant,
  constantOfShape,
  dropout,
  flatten,
  identity,
  reshape,
  shape,
  squeeze,
  unsqueeze,
} from "./reshape.ts";
import { treeClassifier, treeRegressor } from "./trees.ts";
import {
  arrayFeatureExtractor,
  concat,
  expand,
  gather,
  pad,
  slice,
  split,
  transpose,
} from "./wiring.ts";

/** Every supported ONNX operator. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["Abs", absolute],
  ["Add", add],
  ["ArgMax", argMax],
  ["ArgMin", argMin],
  ["AveragePool", averagePool],
  ["BatchNormalization", batchNormalization],
  ["Cast", cast],
  ["Clip", clip],
  ["Concat", concat],
  ["Constant", constant],
  ["ConstantOfShape", constantOfShape],
  ["Conv", conv],
  ["DequantizeLinear", dequantizeLinear],
  ["Div", divide],
  ["Dropout", dropout],
  ["Elu", elu],
  ["Expand", expand],
  ["Flatten", flatten],
  ["Gather", gather],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAveragePool],
  ["HardSigmoid", hardSigmoid],
  ["Identity", identity],
  ["LeakyRelu", leakyRelu],
  ["LogSoftmax", finalActivation],
  ["MatMul", matMul],
  ["Max", maximum],
  ["MaxPool", maxPool],
  ["Min", minimum],
  ["Mul", multiply],
  ["Neg", negate],
  ["PRelu", pRelu],
  ["Pad", pad],
  ["QuantizeLinear", quantizeLinear],
  ["ReduceMean", reduceMean],
  ["ReduceSum", reduceSum],
  ["Relu", relu],
  ["Reshape", reshape],
  ["Shape", shape],
  ["Sigmoid", sigmoid],
  ["Slice", slice],
  ["Softmax", finalActivation],
  ["Softplus", softplus],
  ["Split", split],
  ["Squeeze", squeeze],
  ["Sub", subtract],
  ["Sum", sum],
  ["Tanh", tanh],
  ["Transpose", transpose],
  ["Unsqueeze", unsqueeze],
  ["ai.onnx.ml.ArrayFeatureExtractor", arrayFeatureExtractor],
  ["ai.onnx.ml.LabelEncoder", labelEncoder],
  ["ai.onnx.ml.LinearClassifier", linearClassifier],
  ["ai.onnx.ml.LinearRegressor", linearRegressor],
  ["ai.onnx.ml.Normalizer", normalizer],
  ["ai.onnx.ml.Scaler", scaler],
  ["ai.onnx.ml.TreeEnsembleClassifier", treeClassifier],
  ["ai.onnx.ml.TreeEnsembleRegressor", treeRegressor],
  ["ai.onnx.ml.ZipMap", zipMap],
]);

/** The constraints of every kind of integer node. */
const CIRCUITS: { [Kind in IntegerNode["kind"]]: CircuitKind<NodeOf<Kind>> } = {
  affine: affineCircuit,
  argMax: argMaxCircuit,
  concat: concatCircuit,
  floor: floorCircuit,
  leaves: leavesCircuit,
  parts: partsCircuit,
  pick: pickCircuit,
  relu: reluCircuit,
  rescale: rescaleCircuit,
};

export function circuitOf(node: IntegerNode): CircuitKind<IntegerNode> {
  // the table's type says that the entry is the one for this node; a lookup by a union loses that
  return CIRCUITS[node.kind] as CircuitKind<IntegerNode>;
}
