import type { InputMode } from "@haca/protocol/inputMode";
import type { QuantiseOptions } from "../../src/quantise/options.ts";
import { readDigits } from "./digits.ts";
import { forest, multilayerPerceptron, noise, onnxFile } from "./onnxFile.ts";

/** A model to compile in a test, with its calibration samples. */
export type TestModel = {
  title: string;
  onnx: Uint8Array;
  calibration: number[][];
  options?: Partial<QuantiseOptions>;
  inputMode?: InputMode;
};

const POOL = { kernel_shape: [2, 2], strides: [2, 2] };

/** Signed inputs, a dead neuron, a rescaled operand and rescaled outputs. */
const deep: TestModel = {
  title: "two hidden layers, rescaled outputs",
  onnx: onnxFile({
    input: [1, 2, 3],
    nodes: [
      { operator: "Flatten", inputs: ["x"], output: "flat" },
      { operator: "Gemm", inputs: ["flat", "w1", "b1"], output: "s1" },
      { operator: "Relu", inputs: ["s1"], output: "h1" },
      { operator: "MatMul", inputs: ["h1", "w2"], output: "s2" },
      { operator: "Add", inputs: ["s2", "b2"], output: "t2" },
      { operator: "Relu", inputs: ["t2"], output: "h2" },
      { operator: "Gemm", inputs: ["h2", "w3"], output: "s3" },
      { operator: "Gemm", inputs: ["s3", "w4"], output: "y" },
      { operator: "ArgMax", inputs: ["y"], output: "label", attributes: { axis: 1, keepdims: 0 } },
    ],
    constants: {
      w1: noise([6, 5], 1),
      // the last neuron never fires
      b1: { shape: [5], data: [0.1, -0.2, 0, 0.3, -50] },
      w2: noise([5, 4], 2),
      b2: noise([4], 3),
      w3: noise([4, 4], 4),
      w4: noise([4, 3], 5),
    },
    outputs: { y: 1, label: 7 },
  }),
  calibration: [1, 2, 3, 4].map((seed) => noise([6], seed).data),
  options: { outputBits: 12 },
};

const sparse: TestModel = {
  title: "element by element, output is an activation",
  onnx: onnxFile({
    input: [1, 5],
    nodes: [
      { operator: "Relu", inputs: ["x"], output: "h" },
      { operator: "Add", inputs: ["h", "b"], output: "t" },
      { operator: "Relu", inputs: ["t"], output: "y" },
    ],
    constants: { b: { shape: [5], data: [-1, 0, 1, 2, -3] } },
    outputs: ["y"],
  }),
  calibration: [
    [1, -2, 3, -4, 5],
    [-5, 4, -3, 2, -1],
  ],
};

const convolutional: TestModel = {
  title: "convolution, normalisation, pooling",
  onnx: onnxFile({
    input: [1, 1, 4, 4],
    nodes: [
      {
        operator: "Conv",
        inputs: ["x", "k", "c"],
        output: "s",
        attributes: { pads: [1, 1, 0, 0] },
      },
      { operator: "BatchNormalization", inputs: ["s", "g", "c", "m", "v"], output: "n" },
      { operator: "Relu", inputs: ["n"], output: "h" },
      {
        operator: "AveragePool",
        inputs: ["h"],
        output: "p",
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
      { operator: "Flatten", inputs: ["p"], output: "flat" },
      { operator: "Gemm", inputs: ["flat", "w"], output: "y" },
    ],
    constants: {
      k: noise([2, 1, 2, 2], 1),
      c: noise([2], 2),
      g: noise([2], 3),
      m: noise([2], 4),
      v: { shape: [2], data: [0.5, 2] },
      w: noise([8, 3], 5),
    },
    outputs: ["y"],
  }),
  calibration: [1, 2, 3].map((seed) => noise([16], seed).data),
};

const clipped: TestModel = {
  title: "clipped at both ends and at one",
  onnx: onnxFile({
    input: [1, 6],
    nodes: [
      { operator: "Gemm", inputs: ["x", "w1", "b1"], output: "s1" },
      { operator: "Clip", inputs: ["s1", "low", "high"], output: "h1" },
      { operator: "Gemm", inputs: ["h1", "w2"], output: "s2" },
      { operator: "Clip", inputs: ["s2", "", "high"], output: "y" },
      { operator: "Clip", inputs: ["s2", "low"], output: "z" },
    ],
    constants: {
      w1: noise([6, 4], 1),
      b1: noise([4], 2),
      w2: noise([4, 3], 3),
      low: { shape: [], data: [0] },
      high: { shape: [], data: [0.75] },
    },
    outputs: ["y", "z"],
  }),
  calibration: [1, 2, 3, 4].map((seed) => noise([6], seed).data),
};

/** Calibration is far within the input's range, so that the first activations are cut off, but for the second channel's. */
const cut: TestModel = {
  title: "activations that are cut off",
  onnx: onnxFile({
    input: [1, 2],
    nodes: [
      { operator: "Gemm", inputs: ["x", "w1"], output: "s1" },
      { operator: "Relu", inputs: ["s1"], output: "h1" },
      { operator: "Gemm", inputs: ["h1", "w2"], output: "s2" },
      { operator: "Relu", inputs: ["s2"], output: "y" },
    ],
    constants: {
      w1: { shape: [2, 3], data: [1, 2 ** -10, -0.5, -0.25, 2 ** -11, 1] },
      w2: { shape: [3, 2], data: [0.5, 0.25, 1, -1, -0.75, 1] },
    },
    outputs: ["y"],
  }),
  calibration: [
    [100, 40],
    [-60, 90],
    [30, -100],
  ],
  options: { input: { minimum: -(2 ** 21), maximum: 2 ** 21 - 1, scaleExponent: 0 } },
};

/** Values that meet again, channels of different scales, and activations made of ReLUs. */
const joined: TestModel = {
  title: "residual sum, channels of different scales, greatest of pairs",
  onnx: onnxFile({
    input: [1, 2, 4],
    nodes: [
      { operator: "Conv", inputs: ["x", "k"], output: "s", attributes: { pads: [1, 1] } },
      { operator: "LeakyRelu", inputs: ["s"], output: "h", attributes: { alpha: { float: 0.25 } } },
      { operator: "Add", inputs: ["h", "x"], output: "sum" },
      {
        operator: "MaxPool",
        inputs: ["sum"],
        output: "p",
        attributes: { kernel_shape: [2], strides: [2] },
      },
      { operator: "Transpose", inputs: ["p"], output: "t", attributes: { perm: [0, 2, 1] } },
      { operator: "Concat", inputs: ["t", "t"], output: "c", attributes: { axis: 1 } },
      { operator: "ReduceMean", inputs: ["c"], output: "y", attributes: { axes: [2] } },
    ],
    constants: {
      k: {
        shape: [2, 2, 3],
        data: noise([12], 1).data.map((weight, index) => (index < 6 ? weight : weight / 1000)),
      },
    },
    outputs: ["y"],
  }),
  calibration: [1, 2, 3].map((seed) => noise([8], seed).data),
};

/** Sums that are compared by their upper digits: those of the input, and those of a ReLU. */
const pooled: TestModel = {
  title: "greatest of windows before their ReLU",
  onnx: onnxFile({
    input: [1, 1, 4, 4],
    nodes: [
      {
        operator: "Conv",
        inputs: ["x", "k1"],
        output: "s1",
        attributes: { pads: [0, 0, 1, 1] },
      },
      { operator: "Relu", inputs: ["s1"], output: "h1" },
      { operator: "MaxPool", inputs: ["h1"], output: "p1", attributes: POOL },
      {
        operator: "Conv",
        inputs: ["p1", "k2", "b2"],
        output: "s2",
        attributes: { pads: [1, 1, 1, 1] },
      },
      { operator: "Relu", inputs: ["s2"], output: "h2" },
      // windows that padding cuts
      {
        operator: "MaxPool",
        inputs: ["h2"],
        output: "y",
        attributes: { ...POOL, pads: [1, 1, 0, 0] },
      },
    ],
    constants: {
      k1: noise([2, 1, 2, 2], 1),
      k2: noise([1, 2, 2, 2], 2),
      b2: { shape: [1], data: [1.5] },
    },
    outputs: ["y"],
  }),
  calibration: [1, 2, 3].map((seed) => noise([16], seed).data),
};

/** Features with one threshold, with many, with one that nothing passes, and whole numbers at a threshold. */
const trees: TestModel = {
  title: "trees",
  onnx: onnxFile({
    input: [1, 3],
    nodes: [
      {
        ...forest({ features: 3, trees: 3, depth: 3, modes: ["BRANCH_LEQ"], scale: 12 }),
        output: "s",
      },
      { operator: "MatMul", inputs: ["s", "w"], output: "t" },
      { operator: "Relu", inputs: ["t"], output: "y" },
    ],
    constants: { w: { shape: [1, 2], data: [1, -0.5] } },
    outputs: ["y"],
  }),
  calibration: [
    [9, -7, 3],
    [-6, 10, 8],
    [2, 0, -4],
  ],
};

const digits = readDigits();

/** Whose circuits `soundness.test.ts` attacks; together they have every kind of integer node. */
export const MODELS: TestModel[] = [
  { title: "digits", onnx: digits.onnx, calibration: digits.calibration },
  {
    title: "small perceptron, real inputs",
    onnx: multilayerPerceptron({ inputs: 7, hidden: 6, classes: 4 }),
    calibration: [1, 2, 3].map((seed) => noise([7], seed).data),
  },
  deep,
  sparse,
  convolutional,
  clipped,
  cut,
  joined,
  pooled,
  trees,
];

/** Rows and public signals exceed 2^9 by few; most elements of the input are read by more sums than they would be copied into. */
export const SUBSTITUTED: TestModel = {
  title: "sums in the place of wires",
  onnx: onnxFile({
    input: [1, 56],
    nodes: [
      { operator: "MatMul", inputs: ["x", "w"], output: "s" },
      { operator: "ReduceSum", inputs: ["s"], output: "y", attributes: { keepdims: 1 } },
    ],
    constants: { w: noise([56, 130], 1) },
    outputs: ["y"],
  }),
  calibration: [noise([56], 1).data, noise([56], 2).data],
  options: { input: { minimum: 0, maximum: 255, scaleExponent: -8 } },
};

/** Inputs that a proof hides: one word, and two permutations with a salt. */
export const COMMITTED: TestModel[] = [
  {
    title: "a committed input of one word",
    onnx: multilayerPerceptron({ inputs: 4, hidden: 3, classes: 3 }),
    calibration: [1, 2, 3].map((seed) => noise([4], seed).data),
    inputMode: "committed",
  },
  {
    title: "a salted input of 17 words",
    onnx: onnxFile({
      input: [1, 272],
      nodes: [
        { operator: "MatMul", inputs: ["x", "w"], output: "s" },
        { operator: "Relu", inputs: ["s"], output: "y" },
      ],
      constants: { w: noise([272, 2], 3) },
      outputs: ["y"],
    }),
    calibration: [noise([272], 1).data, noise([272], 2).data],
    options: { input: { minimum: -(2 ** 14), maximum: 2 ** 14 - 1, scaleExponent: -14 } },
    inputMode: "salted",
  },
];
