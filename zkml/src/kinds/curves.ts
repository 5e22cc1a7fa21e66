import { elementCount } from "@haca/model-runtime/integerModel";
import { affineNode } from "./affine.ts";
import { channelSizeOf } from "./elementwise.ts";
import type { GraphNode, LowerOperator, Operator } from "./kind.ts";
import { numberAttribute, requireValue } from "./operands.ts";
import { reluNode } from "./relu.ts";

/** Bends of a curve that is drawn with straight lines; each costs a ReLU an element. */
const BENDS = 24;

/** Where curves are bent; beyond, they go on as lines. */
const REACH = 8;

/**
 * Smooth activations as straight lines between points of the curve, closest where it bends most. The float model has
 * the curve itself, so that what the lines differ from it, about 0.1 % of its height, is part of the reported error.
 */
function curve(parameters: {
  /** the curve */
  of: (x: number, alpha: number) => number;
  alpha?: number;
}): Operator {
  const lower: LowerOperator = ({ node, operands, output }) => {
    const { value, shape } = requireValue({ node, operands, index: 0 });
    const alpha = numberAttribute(node, "alpha", parameters.alpha ?? 1);
    const of = (x: number): number => parameters.of(x, alpha);
    const { start, bends } = bendsOf(of);
    const count = elementCount(shape);
    const channelSize = channelSizeOf(shape);
    const shifted = bends.flatMap(({ at }) =>
      Array.from({ length: count }, (_, index) => ({ indices: [index], weights: [1], bias: -at })),
    );
    return {
      operand: { kind: "value", value: output, shape },
      nodes: [
        affineNode({
          input: value,
          output: `${output}/past`,
          inputCount: count,
          channelSize,
          rows: shifted,
        }),
        reluNode({ input: `${output}/past`, output: `${output}/distance` }),
        curveNode(
          affineNode({
            input: `${output}/distance`,
            output,
            inputCount: count * bends.length,
            channelSize,
            rows: Array.from({ length: count }, (_, index) => ({
              indices: bends.map((_, bend) => bend * count + index),
              weights: bends.map(({ change }) => change),
              bias: start,
            })),
          }),
          // the first bend is where curves begin to rise: its distance says where on the curve an element is
          (distances) => distances.slice(0, count).map((distance) => of(distance - REACH)),
        ),
      ],
    };
  };
  return { lower };
}

/** The sum of lines in integers, the curve itself in floats; never merged with its neighbours, which would lose that. */
function curveNode(lines: GraphNode, compute: GraphNode["compute"]): GraphNode {
  const { affine: _, ...node } = lines;
  return { ...node, compute };
}

/** f(x) = start + the changes of slope at the bends passed: all of these curves are flat on the left. */
function bendsOf(of: (x: number) => number): {
  start: number;
  bends: { at: number; change: number }[];
} {
  const STEPS = 4096;
  const step = (2 * REACH) / STEPS;
  const xs = Array.from({ length: STEPS + 1 }, (_, index) => -REACH + index * step);
  // the error of a line is in proportion to the second derivative: points are as dense as its root
  let total = 0;
  const weight = xs.map((x) => {
    const second = (of(x + step) - 2 * of(x) + of(x - step)) / step ** 2;
    total += Math.sqrt(Math.abs(second)) * step;
    return total;
  });
  const points = [-REACH];
  for (const [index, x] of xs.entries()) {
    if ((weight[index] as number) >= (points.length * total) / (BENDS - 1) && x < REACH)
      points.push(x);
  }
  points.push(REACH);
  const slopes = points.slice(1).map((x, index) => {
    const before = points[index] as number;
    return (of(x) - of(before)) / (x - before);
  });
  const all = [0, ...slopes, of(REACH + 1) - of(REACH)];
  return {
    start: of(-REACH),
    bends: points
      .map((at, index) => ({ at, change: (all[index + 1] as number) - (all[index] as number) }))
      .filter(({ change }, index) => index === 0 || Math.abs(change) > 1e-6),
  };
}

export const elu = curve({ of: (x, alpha) => (x >= 0 ? x : alpha * Math.expm1(x)), alpha: 1 });
export const sigmoid = curve({ of: (x) => 1 / (1 + Math.exp(-x)) });
export const tanh = curve({ of: (x) => Math.tanh(x) });
export const softplus = curve({ of: (x) => Math.log1p(Math.exp(x)) });
