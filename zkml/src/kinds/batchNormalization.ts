import { elementCount } from "@haca/model-runtime/integerModel";
import {
  type LowerOperator,
  numberAttribute,
  requireConstant,
  requireValue,
  shapeMismatch,
  unsupported,
} from "./operator.ts";

/** BatchNormalization at inference: scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel (axis 1). */
export const lowerBatchNormalization: LowerOperator = ({ node, operands, output }) => {
  const x = requireValue({ node, operands, index: 0 });
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
    Array.from(requireConstant({ node, operands, index }).data),
  ) as [number[], number[], number[], number[]];
  const epsilon = numberAttribute(node, "epsilon", 1e-5);
  if (numberAttribute(node, "training_mode", 0) !== 0) {
    throw unsupported({ node, why: "training_mode = 1 is not supported" });
  }
  const channels = x.shape[1] ?? 0;
  if ([scale, bias, mean, variance].some(({ length }) => length !== channels)) {
    throw shapeMismatch({ node, why: `its constants do not have ${channels} elements` });
  }
  const count = elementCount(x.shape);
  const size = count / channels;
  return {
    operand: { kind: "value", value: output, shape: x.shape },
    node: {
      kind: "affine",
      input: x.value,
      output,
      inputCount: count,
      rows: Array.from({ length: count }, (_, index) => {
        const channel = Math.floor(index / size);
        const at = (values: readonly number[]): number => values[channel] as number;
        const factor = at(scale) / Math.sqrt(at(variance) + epsilon);
        return { indices: [index], weights: [factor], bias: at(bias) - factor * at(mean) };
      }),
    },
  };
};
