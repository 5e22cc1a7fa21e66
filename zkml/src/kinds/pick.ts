import type { IntegerPick } from "@haca/model-runtime/kinds/pick";
import { type Range, signedWidth } from "@haca/model-runtime/kinds/ranges";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import { constantDifference, digitSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { affineNode } from "./affine.ts";
import type { CircuitKind } from "./circuitKind.ts";
import type { GraphNode } from "./kind.ts";
import { finest, type QuantisedValue, type Quantiser } from "./quantiser.ts";

type Pair = [first: number, second: number];

/**
 * The greatest element of each window of a value, in rounds of pairs: a sign says which of two goes on, and that one goes on
 * as it is, at its own width. What is compared is a rough form of the elements, where they are weighted sums: two that it
 * confuses are nearly equal, so that either is near the greatest. The rough form of the one that goes on goes on with it.
 *
 * All windows have one length; an element that stands in a window twice is compared with itself, which costs nothing.
 */
export function greatestOf(parameters: {
  input: string;
  inputCount: number;
  /** as many for each channel, channel by channel, as elements are */
  windows: readonly (readonly number[])[];
  channels: number;
  output: string;
}): GraphNode[] {
  const { output, channels } = parameters;
  let { input, inputCount, windows } = parameters;
  const channelSize = windows.length / channels;
  const isOne = (windows[0]?.length ?? 0) === 1;
  if (isOne) {
    const rows = windows.map(([index = 0]) => ({ indices: [index], weights: [1], bias: 0 }));
    return [affineNode({ input, output, inputCount, channelSize, rows })];
  }
  const nodes: GraphNode[] = [];
  let rough = `${output}/rough`;
  for (let round = 1; (windows[0]?.length ?? 0) > 1; round++) {
    const length = Math.ceil((windows[0]?.length ?? 0) / 2);
    const name = length === 1 ? output : `${output}/round${round}`;
    const pairs = windows.flatMap((window) =>
      Array.from({ length }, (_, at): Pair => {
        const first = window[2 * at] as number;
        return [first, window[2 * at + 1] ?? first];
      }),
    );
    const signs = `${name}/difference`;
    if (round === 1) {
      const rows = Array.from({ length: inputCount }, (_, at) => ({
        ...{ indices: [at], weights: [1], bias: 0 },
      }));
      const form = { of: input, differences: signs, pairs, channels };
      nodes.push(affineNode({ input, output: rough, inputCount, rough: form, rows }));
    }
    const size = channelSize * length;
    const difference = affineNode({
      input: rough,
      output: signs,
      inputCount,
      channelSize: size,
      rows: pairs.map(([first, second]) =>
        first === second
          ? { indices: [], weights: [], bias: 0 }
          : { indices: [first, second], weights: [-1, 1], bias: 0 },
      ),
    });
    const picked = { signs, pairs, channelSize: size };
    nodes.push({ ...difference, isSign: true }, pickNode({ ...picked, input, output: name }));
    if (length > 1) {
      const goesOn = { ...picked, input: rough, output: `${name}/rough` };
      nodes.push(roughly({ node: pickNode(goesOn), rough, exact: input, picked: name }));
      rough = goesOn.output;
    }
    input = name;
    inputCount = pairs.length;
    windows = windows.map((_, at) => Array.from({ length }, (_, index) => at * length + index));
  }
  return nodes;
}

/** A pick of what is compared: that of the elements themselves where these are compared as they are. */
function roughly(parameters: {
  node: GraphNode;
  rough: string;
  exact: string;
  picked: string;
}): GraphNode {
  const { node, rough, exact, picked } = parameters;
  return {
    ...node,
    isSign: true,
    quantise: (quantiser) =>
      quantiser.valueOf(rough).name === quantiser.valueOf(exact).name
        ? quantiser.valueOf(picked)
        : node.quantise(quantiser),
  };
}

function pickNode(parameters: {
  signs: string;
  input: string;
  output: string;
  pairs: Pair[];
  channelSize: number;
}): GraphNode {
  const { signs, input, output, pairs, channelSize } = parameters;
  return {
    inputs: [signs, input],
    output,
    pairs,
    channelSize,
    // the greater of the two: the float reference does not depend on how the sign is computed
    compute: (x) =>
      pairs.map(([first, second]) =>
        Math.max(x[pairs.length + first] as number, x[pairs.length + second] as number),
      ),
    quantise: (quantiser) => {
      const source = alikeInPairs({ quantiser, source: quantiser.valueOf(input), output, pairs });
      return quantiser.add(
        { kind: "pick", inputs: [quantiser.valueOf(signs).name, source.name], output, pairs },
        pairs.map(([first]) => source.exponents[first] as number),
      );
    },
  };
}

/** The same value, with one scale for the elements of a pair: exact, and no row. */
function alikeInPairs(parameters: {
  quantiser: Quantiser;
  source: QuantisedValue;
  output: string;
  pairs: readonly Pair[];
}): QuantisedValue {
  const { quantiser, source, output, pairs } = parameters;
  const exponents = [...source.exponents];
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const pair of pairs) {
      const least = finest(pair.map((at) => exponents[at] as number));
      for (const at of pair) {
        isStable &&= exponents[at] === least;
        exponents[at] = least;
      }
    }
  }
  const by = exponents.map((exponent, at) => (source.exponents[at] as number) - exponent);
  return by.every((shift) => shift === 0)
    ? source
    : quantiser.refine({ source, output: `${output}/alike`, by });
}

export const pickCircuit: CircuitKind<IntegerPick> = {
  addRows: ({ node: { pairs }, input, ranges, name, circuit, isOpen = false }) =>
    pairs.map(([first, second], index) =>
      pickRows({
        sign: input[index] as Sum,
        range: ranges[index] as Range,
        first: input[pairs.length + first] as Sum,
        second: input[pairs.length + second] as Sum,
        name: `${name}x${index}`,
        circuit,
        isOpen,
      }),
    ),
};

/**
 * Width + 2 rows for a sign of that width: its digits, made positive, and `first + isSecond * (second - first)`, where
 * `isSecond` is the top digit; 1 row where another pick has decomposed the sign. The digits are the only ones of the sign, so that
 * `isSecond` is what the sign says, and the product has one value. Where the sign is that of `second - first` itself, the digits
 * below the top one are this difference wherever it counts; a difference of weighted sums is a wire of its own: one more row.
 * Where a ReLU alone reads what is picked, the product goes into the row of its digits: one less.
 */
function pickRows(parameters: {
  sign: Sum;
  range: Range;
  first: Sum;
  second: Sum;
  name: string;
  circuit: CircuitBuilder;
  isOpen: boolean;
}): Sum {
  const { sign, range, first, second, name, circuit, isOpen } = parameters;
  if (range.minimum >= 0n) return second;
  if (range.maximum < 0n) return first;
  const digits = signDigits({ sign, range, name, circuit });
  const difference = exactly([
    [1, second],
    [-1, first],
  ]);
  const isSecond = wireSum(digits.at(-1) as number);
  const gain =
    constantDifference(difference, sign) === 0
      ? digitSum(digits.slice(0, -1))
      : isPlain(difference)
        ? difference
        : wireSum(circuit.wireOf(`${name}Difference`, difference));
  return isOpen
    ? circuit.openProduct(first, { a: isSecond, b: gain })
    : wireSum(circuit.product(`${name}Out`, isSecond, gain, first));
}

/** The digits of a sign, made positive: those that rows have pinned already, where there are any. */
function signDigits(parameters: {
  sign: Sum;
  range: Range;
  name: string;
  circuit: CircuitBuilder;
}): readonly number[] {
  const { sign, range, name, circuit } = parameters;
  const width = signedWidth(range);
  const least = -(2 ** (width - 1));
  const known = circuit.decompositionOf(sign);
  if (known?.least === least && known.digits.length === width && known.gate === undefined) {
    return known.digits;
  }
  const digits = circuit.digits(name, exactly([[1, sign]], -least), width);
  circuit.keepDecomposition(sign, { digits, least });
  return digits;
}

/** Whether a sum is one of a few wires as they are, so that it may stand in a product. */
function isPlain({ wires, coefficients, constant }: Sum): boolean {
  return wires.length <= 2 && constant === 0 && coefficients.every((c) => Math.abs(c) === 1);
}
