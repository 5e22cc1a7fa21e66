import type { IntegerLeaves } from "@haca/model-runtime/kinds/leaves";
import { type Range, signedWidth } from "@haca/model-runtime/kinds/ranges";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import { constantSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import type { CircuitKind } from "./circuitKind.ts";
import type { GraphNode } from "./kind.ts";

/** From so many thresholds of one element on, its rank among them costs less than a comparison for each. */
const MINIMUM_RANKED = 3;

/** From so many on it costs less than a comparison for each and the digits of the element, which it makes needless. */
const MINIMUM_PINNED = 2;

/** x > at, or x >= at, of one feature: what a node of a tree asks, or its opposite. */
export type Threshold = { feature: number; at: number; isStrict: boolean };

/**
 * For every leaf 1 where it is reached, else 0. In integers a threshold is the least that passes it: exact, but for what
 * lies between two integers of the input.
 */
export function leavesNode(parameters: {
  input: string;
  output: string;
  thresholds: readonly Threshold[];
  /** conditions of every leaf, as an integer model has them */
  paths: number[][];
}): GraphNode {
  const { input, output, thresholds, paths } = parameters;
  return {
    inputs: [input],
    output,
    compute: (x) => {
      const passed = thresholds.map(({ feature, at, isStrict }) => {
        const value = Math.fround(x[feature] as number);
        return isStrict ? value > at : value >= at;
      });
      return paths.map((path) =>
        path.every((condition) => passed[Math.abs(condition) - 1] === condition > 0) ? 1 : 0,
      );
    },
    quantise: (quantiser) => {
      const source = quantiser.valueOf(input);
      const integers = thresholds.map(({ feature, at, isStrict }) => {
        const limit = at / 2 ** (source.exponents[feature] as number);
        return { index: feature, least: isStrict ? Math.floor(limit) + 1 : Math.ceil(limit) };
      });
      return quantiser.add(
        { kind: "leaves", input: source.name, output, thresholds: integers, paths },
        paths.map(() => 0),
      );
    },
  };
}

export const leavesCircuit: CircuitKind<IntegerLeaves> = {
  addRows: ({ node, input, ranges, name, circuit }) => {
    const passed = passedSums({ node, input, ranges, name, circuit });
    return walk({
      paths: node.paths,
      passed,
      multiply: (a, b, at) => {
        if (a.wires.length === 0) return a.constant === 0 ? a : b;
        if (b.wires.length === 0) return b.constant === 0 ? b : a;
        return wireSum(circuit.product(`${name}Both${at}`, a, b));
      },
    });
  },
};

/**
 * Follows all paths at once: a product for each node of a tree that has two ways on, but the root; the other way is what is
 * left of the way to the node.
 */
function walk(parameters: {
  paths: readonly (readonly number[])[];
  /** 1 or 0 for each threshold */
  passed: readonly Sum[];
  multiply: (a: Sum, b: Sum, at: number) => Sum;
}): Sum[] {
  const { paths, passed, multiply } = parameters;
  const all = constantSum(1);
  const reached = new Map<string, Sum>([["", all]]);
  let products = 0;
  return paths.map((path) => {
    let way = "";
    let current = all;
    for (const [depth, condition] of path.entries()) {
      const threshold = Math.abs(condition) - 1;
      const [yes, no] = [`${way}/${threshold + 1}`, `${way}/-${threshold + 1}`];
      if (!reached.has(yes)) {
        const bit = passed[threshold] as Sum;
        const both = depth === 0 ? bit : multiply(current, bit, products++);
        const rest = exactly([
          [1, current],
          [-1, both],
        ]);
        reached.set(yes, both);
        reached.set(no, rest);
      }
      way = condition > 0 ? yes : no;
      current = reached.get(way) as Sum;
    }
    return current;
  });
}

/** Whether an element of a range passes always or never, or else the digits that its difference to a threshold needs. */
function differenceOf(range: Range, least: number): { width?: number; isPassed: boolean } {
  const difference = {
    minimum: range.minimum - BigInt(least),
    maximum: range.maximum - BigInt(least),
  };
  const isPassed = difference.minimum >= 0n;
  return isPassed || difference.maximum < 0n
    ? { isPassed }
    : { isPassed, width: Math.max(2, signedWidth(difference)) };
}

/** By element the thresholds, in order, that some of its range passes and some does not. */
function startsOf(parameters: {
  thresholds: IntegerLeaves["thresholds"];
  ranges: readonly Range[];
}): Map<number, number[]> {
  const { thresholds, ranges } = parameters;
  const starts = new Map<number, number[]>();
  for (const { index, least } of thresholds) {
    if (differenceOf(ranges[index] as Range, least).width === undefined) continue;
    starts.set(index, [...(starts.get(index) ?? []), least]);
  }
  for (const [index, leasts] of starts) {
    starts.set(
      index,
      [...new Set(leasts)].sort((a, b) => a - b),
    );
  }
  return starts;
}

/**
 * The elements of its input whose range the rows of the node enforce, so that nothing else has to: a rank says in which interval
 * an element is, and between the ends of all.
 */
export function pinnedElements(node: IntegerLeaves, ranges: readonly Range[]): Set<number> {
  const starts = startsOf({ thresholds: node.thresholds, ranges });
  return new Set(
    [...starts].flatMap(([index, own]) => (own.length >= MINIMUM_PINNED ? [index] : [])),
  );
}

/** Whether each threshold is passed: those of one element together, where that is cheaper. */
function passedSums(parameters: Parameters<typeof leavesCircuit.addRows>[0]): Sum[] {
  const { node, input, ranges, name, circuit } = parameters;
  const passed: Sum[] = [];
  for (const [at, { index, least }] of node.thresholds.entries()) {
    const range = ranges[index] as Range;
    if (differenceOf(range, least).width === undefined) {
      passed[at] = constantSum(Number(range.minimum >= BigInt(least)));
    }
  }
  for (const [index, starts] of startsOf({ ...node, ranges })) {
    const sum = input[index] as Sum;
    const range = ranges[index] as Range;
    const prefix = `${name}Element${index}`;
    const sums =
      starts.length < (circuit.lacksRange(sum) ? MINIMUM_PINNED : MINIMUM_RANKED)
        ? starts.map((least, at) =>
            passedRows({ sum, range, least, name: `${prefix}Passed${at}`, circuit }),
          )
        : circuit.rank(prefix, sum, starts, {
            minimum: Number(range.minimum),
            maximum: Number(range.maximum),
          });
    for (const [at, threshold] of node.thresholds.entries()) {
      const place = starts.indexOf(threshold.least);
      if (threshold.index === index && place !== -1) passed[at] = sums[place] as Sum;
    }
  }
  return passed;
}

/** Width + 1 rows: the digits of the difference, made positive, of which the top one says that the threshold is passed. */
function passedRows(parameters: {
  sum: Sum;
  range: Range;
  least: number;
  name: string;
  circuit: CircuitBuilder;
}): Sum {
  const { sum, range, least, name, circuit } = parameters;
  const { width, isPassed } = differenceOf(range, least);
  if (width === undefined) return constantSum(Number(isPassed));
  const digits = circuit.digits(name, exactly([[1, sum]], 2 ** (width - 1) - least), width);
  return wireSum(digits[width - 1] as number);
}
