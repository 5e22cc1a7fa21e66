import type { IntegerModel } from "@haca/model-runtime/integerModel";

/** The output that an ArgMax computes, where there is one. */
export function findLabelOutput(integerModel: IntegerModel): string | undefined {
  const labels = new Set(
    integerModel.nodes.filter(({ kind }) => kind === "argMax").map(({ output }) => output),
  );
  return integerModel.outputs.find(({ value }) => labels.has(value))?.name;
}
