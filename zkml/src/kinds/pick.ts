import type { IntegerPick } from "@haca/model-runtime/kinds/pick";
import { type Range, signedWidth } from "@haca/model-runtime/kinds/ranges";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import { combine, digitSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { affineNode } from "./affine.ts";
import type { CircuitKind } from "./circuitKind.ts";
import type { GraphNode } from "./kind.ts";
import { finest, type QuantisedValue, type Quantiser } from "./quantiser.ts";

type Pair = [first: number, second: number];

/**
 * The greatest element of each window of a value, in rounds of pairs: a sign says which of two goes on, and that one goes on
 * as it is, at its own width. In the first round the sign may come from a coarser difference than that of the two
 * (`isSign`): two elements that it confuses are nearly equal, so that either is near the greatest.
 *
 * All windows have one length; an element that stands in a window twice is compared with itself, which costs nothing.
 */
export function greatestOf(parameters: {
  input: string;
  inputCount: number;
  windows: readonly (readonly number[])[];
  output: string;
  /** so many windows belong to one channel */
  channelSize: number;
}): GraphNode[] {
  const { output, channelSize } = parameters;
  let { input, inputCount, windows } = parameters;
  const nodes: GraphNode[] = [];
  for (let round = 1; (windows[0]?.length ?? 0) > 1; round++) {
    const length = Math.ceil((windows[0]?.length ?? 0) / 2);
    const name = length === 1 ? output : `${output}/round${round}`;
    const pairs = windows.flatMap((window) =>
      Array.from({ length }, (_, at): Pair => {
        const first = window[2 * at] as number;
        return [first, window[2 * at + 1] ?? first];
      }),
    );
    const size = channelSize * length;
    nodes.push(
      affineNode({
        input,
        output: `${name}/difference`,
        inputCount,
        channelSize: size,
        isSign: true,
        rows: pairs.map(([first, second]) =>
          first === second
            ? { indices: [], weights: [], bias: 0 }
            : { indices: [first, second], weights: [-1, 1], bias: 0 },
        ),
      }),
      pickNode({ signs: `${name}/difference`, input, output: name, pairs, channelSize: size }),
    );
    input = name;
    inputCount = pairs.length;
    windows = windows.map((_, at) => Array.from({ length }, (_, index) => at * length + index));
  }
  if (nodes.length > 0) return nodes;
  const rows = windows.map(([index = 0]) => ({ indices: [index], weights: [1], bias: 0 }));
  return [affineNode({ input, output, inputCount, channelSize, rows })];
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
  addRows: ({ node: { pairs }, input, ranges, name, circuit }) =>
    pairs.map(([first, second], index) =>
      pickRows({
        sign: input[index] as Sum,
        range: ranges[index] as Range,
        first: input[pairs.length + first] as Sum,
        second: input[pairs.length + second] as Sum,
        name: `${name}x${index}`,
        circuit,
      }),
    ),
};

/**
 * Width + 2 rows for a sign of that width: its digits, made positive, and `first + isSecond * (second - first)`, where
 * `isSecond` is the top digit. The digits are the only ones of the sign, so that `isSecond` is what the sign says, and the
 * product has one value. Where the sign is that of `second - first` itself, the digits below the top one are this difference
 * wherever it counts; else the difference, which has weights, is a wire of its own: one more row.
 */
function pickRows(parameters: {
  sign: Sum;
  range: Range;
  first: Sum;
  second: Sum;
  name: string;
  circuit: CircuitBuilder;
}): Sum {
  const { sign, range, first, second, name, circuit } = parameters;
  if (range.minimum >= 0n) return second;
  if (range.maximum < 0n) return first;
  const width = signedWidth(range);
  const digits = circuit.digits(name, exactly([[1, sign]], 2 ** (width - 1)), width);
  const difference = exactly([
    [1, second],
    [-1, first],
  ]);
  const isSecond = wireSum(digits[width - 1] as number);
  const gain = isSame(difference, sign)
    ? digitSum(digits.slice(0, -1))
    : wireSum(circuit.wireOf(`${name}Difference`, difference));
  return exactly([
    [1, first],
    [1, wireSum(circuit.product(`${name}Gain`, isSecond, gain))],
  ]);
}

function isSame(one: Sum, other: Sum): boolean {
  const rest = combine([
    [1, one],
    [-1, other],
  ]);
  return rest?.wires.length === 0 && rest.constant === 0;
}
