import { divide } from "@haca/model-runtime/kinds/rescale";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { addLine } from "./affine.ts";
import type { GraphNode, Operand, Operator } from "./kind.ts";
import { numberAttribute, requireConstant, requireValue, unsupported } from "./operands.ts";
import { activationShift, coarsest, scaleExponentFor, toInteger } from "./quantiser.ts";
import { addRelu } from "./relu.ts";

/** Exporters write the greatest number of single precision where there is no limit. */
const NO_LIMIT = 3.4028234e38;

/** Clip: min(max(x, minimum), maximum) with constant limits, either of which may be missing. ReLU6 is one. */
export const clip: Operator = {
  settings: [1, 2],
  lower: ({ node, operands, output }) => {
    const { value: input, shape } = requireValue({ node, operands, index: 0 });
    const minimum = readLimit({ node, operands, index: 1, attribute: "min" });
    const maximum = readLimit({ node, operands, index: 2, attribute: "max" });
    if (minimum === undefined && maximum === undefined) {
      return { operand: { kind: "value", value: input, shape } };
    }
    if ((minimum ?? -Infinity) > (maximum ?? Infinity)) {
      throw unsupported({ node, why: `the minimum ${minimum} is above the maximum ${maximum}` });
    }
    return {
      operand: { kind: "value", value: output, shape },
      node: clipNode({ input, output, minimum, maximum }),
    };
  },
};

/** A limit: an input since operator set 11, an attribute before. */
function readLimit(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
  attribute: string;
}): number | undefined {
  const { node, operands, index, attribute } = parameters;
  let value = numberAttribute(node, attribute, NO_LIMIT);
  if (operands[index] !== undefined) {
    const { data } = requireConstant({ node, operands, index });
    if (data.length !== 1) {
      throw unsupported({ node, why: `${attribute} must be one number, it has ${data.length}` });
    }
    value = data[0] as number;
  }
  return Math.abs(value) >= NO_LIMIT ? undefined : value;
}

/**
 * In integers, where relu(x) = max(0, x):
 *
 *     minimum only   minimum + relu(x - minimum)
 *     maximum only   maximum - relu(maximum - x)
 *     both           maximum - relu((maximum - minimum) - relu(x - minimum))
 *
 * The last ReLU divides to the bits of an activation; everything around the ReLUs is linear and costs no constraint.
 */
export function clipNode(parameters: {
  input: string;
  output: string;
  minimum: number | undefined;
  maximum: number | undefined;
}): GraphNode {
  const { input, output, minimum, maximum } = parameters;
  const limits = [minimum, maximum].filter((limit) => limit !== undefined);
  const magnitude = Math.max(...limits.map(Math.abs));
  return {
    inputs: [input],
    output,
    compute: (x) =>
      x.map((value) => Math.min(Math.max(value, minimum ?? -Infinity), maximum ?? Infinity)),
    quantise: (quantiser) => {
      const source = quantiser.alike(quantiser.valueOf(input));
      const sourceExponent = coarsest(source.exponents);
      // a scale at which the limits are about right too: an input of integers may be clipped at 0.5
      const limit = 2 ** quantiser.options.activationBits - 1;
      const scaleExponent = Math.min(
        sourceExponent,
        scaleExponentFor({ largest: magnitude, limit }),
      );
      const factor = 2 ** (sourceExponent - scaleExponent);
      const start = toInteger(minimum ?? 0, scaleExponent);
      const length = maximum === undefined ? 0 : toInteger(maximum, scaleExponent) - start;

      const [weight, bias] = minimum === undefined ? [-factor, length] : [factor, 0 - start];
      let distance = addLine({
        quantiser,
        source,
        output: `${output}/distance`,
        weight,
        bias,
        scaleExponent,
      });
      if (limits.length === 2) {
        distance = addLine({
          quantiser,
          source: addRelu({ quantiser, source: distance, output: `${output}/above`, shift: 0 }),
          output: `${output}/below`,
          weight: -1,
          bias: length,
          scaleExponent,
        });
      }
      const largest =
        minimum !== undefined && maximum !== undefined
          ? maximum - minimum
          : quantiser.largest(output) + magnitude;
      const shift = activationShift({ quantiser, largest, scaleExponent });
      return addLine({
        quantiser,
        source: addRelu({ quantiser, source: distance, output: `${output}/cut`, shift }),
        output,
        weight: maximum === undefined ? 1 : -1,
        // rounded as the ReLU rounds, so that what is clipped comes out as the limit itself
        bias: toInteger(minimum ?? 0, scaleExponent + shift) + divide(length, shift),
        scaleExponent: scaleExponent + shift,
      });
    },
  };
}
