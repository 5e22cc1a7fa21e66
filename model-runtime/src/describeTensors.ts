import type { Manifest } from "@haca/protocol/manifest";
import { elementWidth } from "./bitWidth.ts";
import { type Range, unionRange } from "./computeBounds.ts";
import type { IntegerModel } from "./integerModel.ts";
import { elementCount } from "./integerModel.ts";

/** The manifest's entries for input and outputs: shape, exact range, and place in the packed words. */
export function describeTensors(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): Pick<Manifest, "input" | "outputs"> {
  const { integerModel, bounds } = parameters;
  const { input, outputs } = integerModel;
  return {
    input: describe({ ...input, ranges: bounds.get(input.name) ?? [] }),
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
