import type { IntegerModel, IntegerNode } from "./integerModel.ts";
import { elementCount } from "./integerModel.ts";
import { QuantiseError } from "./quantiseError.ts";

/** The integers that one element can take, both ends included. */
export type Range = { minimum: bigint; maximum: bigint };

/** Integer inference adds and multiplies JavaScript numbers, which are exact below this. */
const EXACT_LIMIT = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The range of every element of every value, by interval arithmetic from the range of the input: what the
 * circuit's bit widths come from. Every range is attainable element by element (not jointly).
 *
 * Throws `quantise.rangeTooWide` where a sum could leave the exact integers; such a sum is far below the
 * field's order, so that no signal of the circuit ever wraps.
 */
export function computeBounds(model: IntegerModel): Map<string, Range[]> {
  const { name, shape, minimum, maximum } = model.input;
  const bounds = new Map<string, Range[]>();
  const range = { minimum: BigInt(minimum), maximum: BigInt(maximum) };
  bounds.set(name, new Array<Range>(elementCount(shape)).fill(range));
  for (const node of model.nodes) {
    bounds.set(node.output, boundsOfNode({ node, input: bounds.get(node.input) ?? [] }));
  }
  return bounds;
}

/** The ranges of a node's output from those of its input. */
export function boundsOfNode(parameters: { node: IntegerNode; input: readonly Range[] }): Range[] {
  const { node, input } = parameters;
  switch (node.kind) {
    case "affine":
      return node.rows.map((row) => affineBounds({ row, input, output: node.output }));
    case "relu":
      return input.map((range) => ({
        minimum: relu(shiftRight(range.minimum, node.shift)),
        maximum: relu(shiftRight(range.maximum, node.shift)),
      }));
    case "rescale":
      return input.map((range) => ({
        minimum: shiftRight(range.minimum, node.shift),
        maximum: shiftRight(range.maximum, node.shift),
      }));
    case "argMax":
      return [{ minimum: 0n, maximum: BigInt(input.length - 1) }];
  }
}

function affineBounds(parameters: {
  row: { indices: number[]; weights: number[]; bias: number };
  input: readonly Range[];
  output: string;
}): Range {
  const { row, input, output } = parameters;
  let minimum = BigInt(row.bias);
  let maximum = minimum;
  let magnitude = minimum < 0n ? -minimum : minimum;
  for (const [position, index] of row.indices.entries()) {
    const weight = BigInt(row.weights[position] as number);
    const range = input[index] as Range;
    const low = weight * (weight < 0n ? range.maximum : range.minimum);
    const high = weight * (weight < 0n ? range.minimum : range.maximum);
    minimum += low;
    maximum += high;
    magnitude += greater(low < 0n ? -low : low, high < 0n ? -high : high);
  }
  if (magnitude > EXACT_LIMIT) {
    throw new QuantiseError({
      reason: "rangeTooWide",
      message: `${output}: a sum can reach ${magnitude}, more than 2^53; use fewer weight or activation bits`,
      details: { value: output },
    });
  }
  return { minimum, maximum };
}

/** floor((value + half) / 2^shift): monotonic, so that it maps ends of ranges to ends of ranges. */
function shiftRight(value: bigint, shift: number): bigint {
  const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
  return (value + half) >> BigInt(shift);
}

const relu = (value: bigint): bigint => greater(value, 0n);

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The range that covers all elements. */
export function unionRange(ranges: readonly Range[]): Range {
  const [first, ...rest] = ranges;
  let { minimum, maximum } = first ?? { minimum: 0n, maximum: 0n };
  for (const range of rest) {
    minimum = range.minimum < minimum ? range.minimum : minimum;
    maximum = greater(maximum, range.maximum);
  }
  return { minimum, maximum };
}
