import {
  deepPerceptron,
  multilayerPerceptron,
  noise,
  onnxFile,
} from "../../../zkml/test/utils/onnxFile.ts";

/** A model of which only the size is measured: weights by chance, inputs of 8 bits. */
export type SizedModel = {
  /** what its figures start with */
  name: string;
  onnx: () => Uint8Array;
  inputs: number;
};

/** Whole numbers of a picture. */
export const sampleOf = (inputs: number, seed: number): number[] =>
  noise([inputs], seed).data.map((value) => Math.floor(128 * (value + 1)));

const PICTURE = 28 * 28;

/** 1,863,690 parameters and 2,048 ReLU; and 1,951,210 parameters and 6,000 ReLU, as the largest that others published. */
const LARGE = [784, 1024, 1024, 10];
const DEEP = [784, ...new Array<number>(20).fill(300), 10];

export const SIZED_MODELS: readonly SizedModel[] = [
  {
    name: "mlp784x64x10",
    onnx: () => multilayerPerceptron({ inputs: PICTURE, hidden: 64, classes: 10 }),
    inputs: PICTURE,
  },
  { name: "mlp1.8m", onnx: () => deepPerceptron({ sizes: LARGE }), inputs: PICTURE },
  { name: "mlp2m", onnx: () => deepPerceptron({ sizes: DEEP }), inputs: PICTURE },
  { name: "lenet28", onnx: lenet, inputs: PICTURE },
];

/** LeNet-5 for pictures of 28x28, with MaxPool. */
function lenet(): Uint8Array {
  const convolution = (channels: number, inputs: number, seed: number) => {
    const { shape, data } = noise([channels, inputs, 5, 5], seed);
    return { shape, data: data.map((weight) => Math.fround(weight / Math.sqrt(25 * inputs))) };
  };
  const dense = (inputs: number, outputs: number, seed: number) => {
    const { shape, data } = noise([inputs, outputs], seed);
    return { shape, data: data.map((weight) => Math.fround(weight / Math.sqrt(inputs))) };
  };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  return onnxFile({
    input: [1, 1, 28, 28],
    nodes: [
      {
        operator: "Conv",
        inputs: ["x", "c1"],
        output: "s1",
        attributes: { kernel_shape: [5, 5], pads: [2, 2, 2, 2] },
      },
      { operator: "Relu", inputs: ["s1"], output: "h1" },
      { operator: "MaxPool", inputs: ["h1"], output: "p1", attributes: pool },
      {
        operator: "Conv",
        inputs: ["p1", "c2"],
        output: "s2",
        attributes: { kernel_shape: [5, 5] },
      },
      { operator: "Relu", inputs: ["s2"], output: "h2" },
      { operator: "MaxPool", inputs: ["h2"], output: "p2", attributes: pool },
      { operator: "Flatten", inputs: ["p2"], output: "flat" },
      { operator: "MatMul", inputs: ["flat", "w3"], output: "s3" },
      { operator: "Relu", inputs: ["s3"], output: "h3" },
      { operator: "MatMul", inputs: ["h3", "w4"], output: "s4" },
      { operator: "Relu", inputs: ["s4"], output: "h4" },
      { operator: "MatMul", inputs: ["h4", "w5"], output: "scores" },
    ],
    constants: {
      c1: convolution(6, 1, 1),
      c2: convolution(16, 6, 2),
      w3: dense(400, 120, 3),
      w4: dense(120, 84, 4),
      w5: dense(84, 10, 5),
    },
    outputs: ["scores"],
  });
}
