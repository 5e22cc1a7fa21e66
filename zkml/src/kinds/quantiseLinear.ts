import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { ONNX_INT8 } from "../onnx/onnxSchema.ts";
import { clipNode } from "./clip.ts";
import { mapCoordinates } from "./indexing.ts";
import type { Operand, Operator } from "./kind.ts";
import {
  numberAttribute,
  optionalConstant,
  requireConstant,
  requireOperand,
  requireValue,
  resolveAxes,
  unsupported,
  usable,
} from "./operands.ts";

/**
 * QuantizeLinear and DequantizeLinear as exporters write them, one after the other. Together they cut a value to a range
 * and round it to 8 bits: the cut is kept, the rounding is the compiler's own, so that results are within a step.
 */
export const quantizeLinear: Operator = {
  settings: [1, 2],
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const { scale, zero, isSigned } = readScale(node, operands);
    const [least, most] = isSigned ? [-128, 127] : [0, 255];
    return {
      operand: { kind: "value", value: output, shape: x.shape, isQuantised: true },
      node: clipNode({
        input: x.value,
        output,
        minimum: (least - zero) * scale,
        maximum: (most - zero) * scale,
      }),
    };
  },
};

export const dequantizeLinear: Operator = {
  settings: [1, 2],
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    if (operand.kind === "value") {
      if (operand.isQuantised !== true) {
        throw unsupported({ node, why: "it reads a value that QuantizeLinear did not make" });
      }
      const { value, shape } = operand;
      return { operand: { kind: "value", value, shape } };
    }
    const { shape, data } = usable(node, operand.tensor);
    const scales = requireConstant({ node, operands, index: 1 }).data;
    const zeros = optionalConstant({ node, operands, index: 2 })?.data;
    const [axis = 0] =
      scales.length === 1 || shape.length === 0
        ? []
        : resolveAxes({ node, axes: [numberAttribute(node, "axis", 1)], rank: shape.length });
    if (scales.length !== 1 && scales.length !== shape[axis]) {
      throw unsupported({ node, why: `${scales.length} scales do not fit [${shape}]` });
    }
    const channels = mapCoordinates(shape, (at) =>
      scales.length === 1 ? 0 : (at[axis] as number),
    );
    const real = data.map((x, index) => {
      const channel = channels[index] as number;
      return (x - (zeros?.[channel] ?? 0)) * (scales[channel] as number);
    });
    return { operand: { kind: "constant", tensor: { shape, data: real } } };
  },
};

function readScale(
  node: OnnxNode,
  operands: (Operand | undefined)[],
): { scale: number; zero: number; isSigned: boolean } {
  const { data } = requireConstant({ node, operands, index: 1 });
  const zero = optionalConstant({ node, operands, index: 2 });
  const [scale = 0] = data;
  if (data.length !== 1 || !(scale > 0)) {
    throw unsupported({ node, why: "a computed value needs one positive scale" });
  }
  return { scale, zero: zero?.data[0] ?? 0, isSigned: zero?.elementType === ONNX_INT8 };
}
