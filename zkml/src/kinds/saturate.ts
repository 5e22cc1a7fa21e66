import type { Range } from "@haca/model-runtime/kinds/ranges";
import { addRows } from "./affine.ts";
import { coarsest, type QuantisedValue, type Quantiser } from "./quantiser.ts";

/** A cut leaves this many bits above the greatest activation that calibration shows: four times as much. */
const SPARE_BITS = 2;

/** A cut reads all digits of an element, and spares every later layer those above the limit: from this many on it pays. */
const LEAST_BITS_CUT = 12;

/**
 * Activations that are never negative, those cut off that exact arithmetic could make thousands of times larger than four
 * times the greatest that calibration shows of all of them; the others as they are. The greatest possible sum grows with
 * every layer and the sums that occur do not: without a cut, a deep model has more digits than exact integers hold.
 *
 *     min(x, limit) = limit - relu(limit - x)
 */
export function saturate(parameters: {
  quantiser: Quantiser;
  source: QuantisedValue;
  output: string;
}): QuantisedValue {
  const { quantiser, source, output } = parameters;
  const most = quantiser.largest(output);
  if (most === 0) return source;
  const limitAt = (index: number): number => {
    const limit = Math.ceil(most / 2 ** (source.exponents[index] as number)) * 2 ** SPARE_BITS;
    const { maximum } = source.ranges[index] as Range;
    // an element that is not cut is taken from its own maximum: its ReLU reads nothing negative and costs no row
    return Number(maximum) > limit * 2 ** LEAST_BITS_CUT ? limit : Number(maximum);
  };
  const limits = source.ranges.map((_, index) => limitAt(index));
  if (limits.every((limit, index) => BigInt(limit) === source.ranges[index]?.maximum))
    return source;
  const belowLimits = (value: QuantisedValue, name: string): QuantisedValue =>
    addRows({
      quantiser,
      source: value,
      output: name,
      exponents: source.exponents,
      rows: limits.map((bias, index) => ({ indices: [index], weights: [-1], bias })),
    });
  const room = belowLimits(source, `${output}/room`);
  const left = quantiser.add(
    {
      kind: "relu",
      input: room.name,
      output: `${output}/left`,
      scaleExponent: coarsest(room.exponents),
      shift: 0,
    },
    room.exponents,
  );
  return belowLimits(left, `${output}/cut`);
}
