import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { elementCount } from "@haca/model-runtime/integerModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { BaseError } from "@haca/protocol/baseError";
import { type Graph, runFloatModel } from "../kinds/graph.ts";
import { circuitOf } from "../kinds/kinds.ts";
import type { Samples } from "./readSamples.ts";

/** Share of labelled samples that the float and the quantised model put into the right class. */
export type Accuracy = { float: number; quantised: number };

/**
 * Runs both models over a labelled set. The class is the output that an ArgMax computes, else the position of the
 * greatest element of the first output.
 */
export function measureAccuracy(parameters: {
  graph: Graph;
  integerModel: IntegerModel;
  samples: Samples;
}): Accuracy {
  const { graph, integerModel, samples } = parameters;
  const { inputs, labels } = samples;
  if (labels === undefined) {
    throw new BaseError({ code: "samples.invalid", message: "the test set has no labels" });
  }
  const expected = elementCount(graph.input.shape);
  const wrong = inputs.findIndex((input) => input.length !== expected);
  if (wrong !== -1) {
    throw new BaseError({
      code: "samples.invalid",
      message: `test sample ${wrong} has ${inputs[wrong]?.length} elements, expected ${expected}`,
    });
  }
  const { input: tensor } = describeTensors({ integerModel, bounds: computeBounds(integerModel) });
  const labelOutput = findLabelOutput(integerModel);
  const position = graph.outputs.findIndex(({ name }) => name === labelOutput);
  const shown = graph.outputs[Math.max(0, position)]?.value ?? "";
  const classOf = (elements: readonly number[]): number | undefined =>
    position === -1 ? elements.indexOf(Math.max(...elements)) : elements[0];

  let float = 0;
  let quantised = 0;
  for (const [index, values] of inputs.entries()) {
    const label = labels[index];
    float += classOf(runFloatModel({ graph, input: values }).get(shown) ?? []) === label ? 1 : 0;
    const input = quantiseInput({ manifest: { input: tensor }, values });
    const outputs = runIntegerModel({ integerModel, input });
    const elements = outputs[Math.max(0, position)] ?? [];
    quantised += classOf(elements.map(Number)) === label ? 1 : 0;
  }
  return { float: float / inputs.length, quantised: quantised / inputs.length };
}

/** The output that is the class, where there is one. */
export function findLabelOutput(integerModel: IntegerModel): string | undefined {
  const labels = new Set(
    integerModel.nodes
      .filter((node) => circuitOf(node).role === "label")
      .map(({ output }) => output),
  );
  return integerModel.outputs.find(({ value }) => labels.has(value))?.name;
}
