import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { circuitOf } from "../kinds/kinds.ts";

/** The output that is the class, where there is one. */
export function findLabelOutput(integerModel: IntegerModel): string | undefined {
  const labels = new Set(
    integerModel.nodes
      .filter((node) => circuitOf(node).role === "label")
      .map(({ output }) => output),
  );
  return integerModel.outputs.find(({ value }) => labels.has(value))?.name;
}
