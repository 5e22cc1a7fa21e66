import type { InputMode } from "@haca/protocol/inputMode";
import {
  deepPerceptron,
  lenet,
  multilayerPerceptron,
  noise,
} from "../../../zkml/test/utils/onnxFile.ts";

/** A model of which only the size is measured: weights by chance, inputs of 8 bits. */
export type SizedModel = {
  /** what its figures start with */
  name: string;
  onnx: () => Uint8Array;
  inputs: number;
  /** what a proof shows of its input; default: its words */
  inputMode?: InputMode;
};

/** Whole numbers of a picture. */
export const sampleOf = (inputs: number, seed: number): number[] =>
  noise([inputs], seed).data.map((value) => Math.floor(128 * (value + 1)));

const PICTURE = 28 * 28;

/** 1,863,690 parameters and 2,048 ReLU; and 1,951,210 parameters and 6,000 ReLU, as the largest that others published. */
const LARGE = [784, 1024, 1024, 10];
const DEEP = [784, ...new Array<number>(20).fill(300), 10];

const perceptron = {
  onnx: () => multilayerPerceptron({ inputs: PICTURE, hidden: 64, classes: 10 }),
  inputs: PICTURE,
};

export const SIZED_MODELS: readonly SizedModel[] = [
  { name: "mlp784x64x10", ...perceptron },
  { name: "mlp784x64x10salted", ...perceptron, inputMode: "salted" },
  { name: "mlp1.8m", onnx: () => deepPerceptron({ sizes: LARGE }), inputs: PICTURE },
  { name: "mlp2m", onnx: () => deepPerceptron({ sizes: DEEP }), inputs: PICTURE },
  { name: "lenet28", onnx: lenet, inputs: PICTURE },
];
