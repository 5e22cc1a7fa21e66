import type { IntegerRow } from "@haca/model-runtime/kinds/affine";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import type { AffineMap, AffineRow, RoughMap } from "./kind.ts";
import { quantiseRow, ROUNDING, sizeOf, weightSizeOf } from "./quantiseAffine.ts";
import { coarsest, type QuantisedValue, type Quantiser } from "./quantiser.ts";

/**
 * What rounding adds to a difference that only its sign is read of, at 8 bits of a weight, as a share of its root mean square; half
 * as much for each bit more. What is confused is so nearly equal that the loss goes with a higher power of that share.
 */
const CONFUSION = 0.15;

/** A difference has the roundings of two sums. */
const BOTH = Math.SQRT2;

/** Steps that are tried, over two powers of two. */
const STEPS = 64;

/** How often a step is made a little coarser until its differences fit. */
const MAXIMUM_TRIES = 8;

type RoughAffine = AffineMap & { rough: RoughMap };

/** Whether a rough form of sums is one: two elements side by side are compared as they are. */
export function isCoarse(affine: AffineMap): affine is RoughAffine {
  return affine.rough !== undefined && affine.rows.some(({ indices }) => indices.length > 2);
}

/**
 * Integers for weighted sums that are compared with each other within their channel, and nothing else: the coarsest whose
 * differences are usually off by no more than a share of themselves. Half of its square is for what is left out of the operand, of
 * which only the upper digits are read where these are there already, and the rest for the weights. Scales of different channels do
 * not meet, so that weights are rounded at steps that are no powers of two: those at which differences fill their digits.
 */
export function addRough(parameters: {
  affine: RoughAffine;
  /** the value of the graph that it reads */
  input: string;
  output: string;
  quantiser: Quantiser;
  /** the value as weights read it, where its upper digits are not there */
  asRead: () => QuantisedValue;
}): QuantisedValue {
  const { affine, input, output, quantiser, asRead } = parameters;
  const { rows, inputCount, rough } = affine;
  const source = quantiser.valueOf(input);
  const channels = channelsOf({ rows, rough, quantiser });
  const upper = upperOf({ source, channels, quantiser });
  const operand = upper?.value ?? asRead();
  const whole = source.exponents.map((exponent) => 2 ** exponent);
  const unit = operand.exponents.map((exponent) => 2 ** exponent);
  const means = quantiser.means(input);
  const centres = source.exponents.map((exponent) => (upper?.centre ?? 0) * 2 ** exponent);
  // without the mean, which goes into the bias
  const sizes = quantiser
    .rootMeanSquares(input)
    .map((size, index) => Math.sqrt(Math.max(0, size ** 2 - (means[index] as number) ** 2)));
  const exponents: number[] = [];
  const integers = channels.flatMap(({ rows: own, pairs, budget }) => {
    const left =
      upper === undefined
        ? 0
        : greatest(own.map((row) => leftOut({ row, unit: whole, shift: upper.shift })));
    const rest = Math.sqrt(Math.max(budget ** 2 - left ** 2, budget ** 2 / 4));
    const size = greatest(own.map((row) => sizeOf({ row, unit, sizes })));
    const usual = rest / (BOTH * ROUNDING * size);
    const fitted = fitStep({
      ...{ rows: own, pairs, ranges: operand.ranges, unit, sizes, budget: rest },
      usual: usual > 0 && size > 0 ? usual : 1,
      integersAt: (step, chosen) => {
        // the integers stand for a multiple of what they say, the same for all that are compared
        const exponent = Math.floor(Math.log2(step));
        const factor = 2 ** exponent / step;
        return chosen.map(({ indices, weights, bias }) =>
          quantiseRow({
            row: { indices, weights: weights.map((w) => w * factor), bias: bias * factor },
            ...{ exponent, unit, means, centres },
          }),
        );
      },
    });
    for (const _ of own) exponents.push(Math.floor(Math.log2(fitted.step)));
    return fitted.rows;
  });
  return quantiser.add(
    {
      ...{ kind: "affine", input: operand.name, output, inputCount },
      ...{ scaleExponent: coarsest(exponents), rows: integers },
    },
    exponents,
  );
}

type Channel = {
  rows: readonly AffineRow[];
  /** what is compared first, by place in `rows` */
  pairs: readonly (readonly [number, number])[];
  /** what may be added to a difference of two rows, as a root mean square */
  budget: number;
};

function channelsOf(parameters: {
  rows: readonly AffineRow[];
  rough: RoughMap;
  quantiser: Quantiser;
}): Channel[] {
  const { rows, rough, quantiser } = parameters;
  const [elements, compared] = [rows, rough.pairs].map((all) => all.length / rough.channels);
  const sums = quantiser.rootMeanSquares(rough.differences);
  const share = CONFUSION * 2 ** (8 - quantiser.options.weightBits);
  return Array.from({ length: rough.channels }, (_, at) => {
    const [first, start] = [at * (elements as number), at * (compared as number)];
    const own = sums.slice(start, start + (compared as number));
    return {
      rows: rows.slice(first, first + (elements as number)),
      pairs: rough.pairs
        .slice(start, start + (compared as number))
        .map(([one, other]) => [one - first, other - first] as const),
      budget: share * Math.sqrt(own.reduce((sum, x) => sum + x ** 2, 0) / own.length),
    };
  });
}

/** The upper digits that are enough for most rows: what they leave out takes about half of the square of the budget. */
function upperOf(parameters: {
  source: QuantisedValue;
  channels: readonly Channel[];
  quantiser: Quantiser;
}): ReturnType<Quantiser["upper"]> {
  const { source, channels, quantiser } = parameters;
  const unit = source.exponents.map((exponent) => 2 ** exponent);
  const shares = channels.flatMap(({ rows, budget }) =>
    rows.map((row) => leftOut({ row, unit, shift: 0 }) / budget).filter((x) => x > 0 && x < 1),
  );
  const share = shares.sort((a, b) => a - b)[shares.length >> 1];
  if (share === undefined) return undefined;
  // a digit less is as good as a step of weights twice as long: what both bring together is greatest
  const gain = (shift: number) =>
    2 ** shift * Math.sqrt(Math.max(0, 1 - (share * 2 ** shift) ** 2));
  const near = Math.floor(Math.log2(Math.SQRT1_2 / share));
  const shift = gain(near + 1) > gain(near) ? near + 1 : near;
  const readers = channels.reduce((count, { rows }) => count + rows.length, 0);
  return quantiser.upper(source, { shift, readers });
}

/** What leaving out the digits below `shift` of what a row reads adds to a difference, as a root mean square. */
function leftOut(parameters: {
  row: AffineRow;
  /** of the value with all its digits */
  unit: readonly number[];
  shift: number;
}): number {
  const { row, unit, shift } = parameters;
  return BOTH * ROUNDING * 2 ** shift * weightSizeOf({ row, unit });
}

type Fit = {
  rows: readonly AffineRow[];
  pairs: readonly (readonly [number, number])[];
  ranges: readonly Range[];
  unit: readonly number[];
  sizes: readonly number[];
  /** what rounding may add to a difference */
  budget: number;
  /** the step at which it usually does */
  usual: number;
  integersAt: (step: number, rows: readonly AffineRow[]) => IntegerRow[];
};

/**
 * Of the steps around the usual one, at which few weights happen to be rounded more or less than others, the one whose differences
 * have the fewest digits within the budget, and of these the one that adds least; and the rows of integers at it.
 */
function fitStep(parameters: Fit): { step: number; rows: IntegerRow[] } {
  const { rows, pairs, ranges, usual, budget, integersAt } = parameters;
  const pair = pairs.reduce((most, one) => (termsOf(rows, one) > termsOf(rows, most) ? one : most));
  const steps = Array.from({ length: STEPS + 1 }, (_, at) => usual * 2 ** ((2 * at) / STEPS - 1));
  const candidates = steps.map((step) => {
    const both = pair.map((at) => rows[at] as AffineRow);
    const integers = integersAt(step, both);
    const reach = reachOf({ rows: integers, pairs: [[0, 1]], ranges });
    return {
      step,
      digits: Math.ceil(Math.log2(reach + 1)),
      error: errorOf({ ...parameters, both, integers, step }),
    };
  });
  const within = candidates.filter(({ error }) => error <= budget);
  const [best] = (within.length > 0 ? within : candidates).sort(
    (one, other) => one.digits - other.digits || one.error - other.error,
  );
  if (best === undefined) return { step: usual, rows: integersAt(usual, rows) };
  let { step } = best;
  let fitted = integersAt(step, rows);
  // other differences may reach a little farther than that of the longest rows
  for (let tries = 0; tries < MAXIMUM_TRIES; tries++) {
    if (reachOf({ rows: fitted, pairs, ranges }) < 2 ** best.digits) break;
    step *= 1.01;
    fitted = integersAt(step, rows);
  }
  return { step, rows: fitted };
}

const termsOf = (rows: readonly AffineRow[], [one, other]: readonly [number, number]): number =>
  (rows[one]?.indices.length ?? 0) + (rows[other]?.indices.length ?? 0);

/** What rounding the weights of two rows adds to their difference, as a root mean square. */
function errorOf(
  parameters: Fit & { both: readonly AffineRow[]; integers: readonly IntegerRow[]; step: number },
): number {
  const { both, integers, step, unit, sizes } = parameters;
  const lost = new Map<number, number>();
  for (const [at, sign] of [-1, 1].entries()) {
    const add = (index: number, weight: number) =>
      lost.set(index, (lost.get(index) ?? 0) + sign * weight);
    const [row, integer] = [both[at], integers[at]];
    for (const [position, index] of (row?.indices ?? []).entries()) {
      add(index, row?.weights[position] as number);
    }
    for (const [position, index] of (integer?.indices ?? []).entries()) {
      add(index, (-(integer?.weights[position] as number) * step) / (unit[index] as number));
    }
  }
  let squares = 0;
  for (const [index, weight] of lost) squares += (weight * (sizes[index] as number)) ** 2;
  return Math.sqrt(squares);
}

/** The farthest from 0 that a difference can be, -1 counting as 0. */
function reachOf(parameters: {
  rows: readonly IntegerRow[];
  pairs: readonly (readonly [number, number])[];
  ranges: readonly Range[];
}): number {
  const { rows, pairs, ranges } = parameters;
  let reach = 0;
  for (const [first, second] of pairs) {
    const [one, other] = [rows[first] as IntegerRow, rows[second] as IntegerRow];
    const weights = new Map<number, number>();
    for (const [row, sign] of [
      [other, 1],
      [one, -1],
    ] as const) {
      for (const [at, index] of row.indices.entries()) {
        weights.set(index, (weights.get(index) ?? 0) + sign * (row.weights[at] as number));
      }
    }
    let [low, high] = [other.bias - one.bias, other.bias - one.bias];
    for (const [index, weight] of weights) {
      const { minimum, maximum } = ranges[index] as Range;
      low += weight * Number(weight < 0 ? maximum : minimum);
      high += weight * Number(weight < 0 ? minimum : maximum);
    }
    reach = Math.max(reach, high, -low - 1);
  }
  return reach;
}

const greatest = (numbers: readonly number[]): number =>
  numbers.reduce((most, one) => Math.max(most, one), 0);
