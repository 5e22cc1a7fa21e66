import type { Manifest } from "@haca/protocol/manifest";
import { elementCount, gather, type IntegerModel, inputsOf, kindOf } from "./integerModel.ts";
import { elementWidth, type Range, unionRange } from "./kinds/ranges.ts";

/**
 * The range of every element of every value, by interval arithmetic from the range of the input: what the
 * circuit's bit widths come from. Every range is attainable element by element (not jointly).
 *
 * Throws `quantise.rangeTooWide` where a sum could leave the exact integers.
 */
export function computeBounds(model: IntegerModel): Map<string, Range[]> {
  const bounds = new Map([[model.input.name, inputBounds(model.input)]]);
  for (const node of model.nodes) {
    bounds.set(node.output, kindOf(node).bounds(node, gather(inputsOf(node), bounds)));
  }
  return bounds;
}

/** The range of every element of the input. */
export function inputBounds(input: IntegerModel["input"]): Range[] {
  const range = { minimum: BigInt(input.minimum), maximum: BigInt(input.maximum) };
  return new Array<Range>(elementCount(input.shape)).fill(range);
}

/** The manifest's entries for input and outputs: shape, exact range, and place in the packed words. */
export function describeTensors(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): Pick<Manifest, "input" | "outputs"> {
  const { integerModel, bounds } = parameters;
  const { input, outputs } = integerModel;
  return {
    input: {
      ...describe({ ...input, ranges: bounds.get(input.name) ?? [] }),
      ...(input.isInteger === true ? { isInteger: true } : {}),
    },
    outputs: outputs.map((output) =>
      describe({ ...output, ranges: bounds.get(output.value) ?? [] }),
    ),
  };
}

function describe(parameters: {
  name: string;
  shape: number[];
  scaleExponent: number;
  ranges: readonly Range[];
}): Manifest["input"] {
  const { name, shape, scaleExponent, ranges } = parameters;
  const range = unionRange(ranges);
  return {
    name,
    shape,
    layout: { count: elementCount(shape), ...elementWidth(range), scaleExponent },
    minimum: Number(range.minimum),
    maximum: Number(range.maximum),
  };
}
