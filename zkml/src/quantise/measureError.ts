import { elementCount, type IntegerModel } from "@haca/model-runtime/integerModel";
import { dequantise, quantiseInput } from "@haca/model-runtime/quantise";
import { computeIntegerValues } from "@haca/model-runtime/runIntegerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { BaseError } from "@haca/protocol/baseError";
import { type Graph, runFloatModel } from "../kinds/graph.ts";
import type { QuantisedValue } from "../kinds/quantiser.ts";
import { findLabelOutput } from "./measureAccuracy.ts";
import type { FloatValues } from "./quantiseModel.ts";
import type { Samples } from "./readSamples.ts";

/** How far the integer model is from the float model over some samples. */
export type ErrorReport = {
  /** samples that the integer model takes */
  samples: number;
  /** samples that it does not: the first of them, and why */
  refused: { count: number; first?: string };
  /** per output: root mean square of the difference, relative to that of the float output */
  outputs: { name: string; error: number }[];
  /** per value of the graph, in order: where exactness is lost */
  layers: { name: string; error: number }[];
  /** share of samples that both models put into the same class */
  agreement: number;
  /** share in the right class, where labels are known */
  accuracy?: { float: number; quantised: number };
  /** root mean square distance to the targets, where they are known */
  targets?: { float: number; quantised: number };
};

/**
 * Runs both models over samples. A sample outside the input's range is left out and counted: the model refuses such a
 * request. The class is what an ArgMax computes, else the position of the greatest element of the first output.
 * Throws `samples.invalid` for a sample of another length, naming file and sample.
 */
export function measureError(parameters: {
  graph: Graph;
  integerModel: IntegerModel;
  values: ReadonlyMap<string, QuantisedValue>;
  samples: Samples;
  floatValues?: FloatValues;
}): ErrorReport {
  const { graph, integerModel, values, samples } = parameters;
  const { input: tensor } = describeTensors({ integerModel, bounds: computeBounds(integerModel) });
  const file = samples.file ?? "the samples";
  const squares = new Map<string, { difference: number; size: number }>();
  const shown = classOutput({ graph, integerModel });
  const counts = { taken: 0, same: 0, float: 0, quantised: 0 };
  const distance = { float: 0, quantised: 0 };
  const refused: ErrorReport["refused"] = { count: 0 };
  for (const [index, sample] of samples.inputs.entries()) {
    const expected = elementCount(graph.input.shape);
    if (sample.length !== expected) {
      throw new BaseError({
        code: "samples.invalid",
        message: `${file}: sample ${index} has ${sample.length} elements, expected ${expected}`,
      });
    }
    let input: bigint[];
    try {
      input = quantiseInput({ manifest: { input: tensor }, values: sample });
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      refused.first ??= `${file}: sample ${index}: ${error.message}`;
      refused.count += 1;
      continue;
    }
    const float = parameters.floatValues?.[index] ?? runFloatModel({ graph, input: sample });
    const integers = computeIntegerValues({ integerModel, input });
    for (const [name, reference] of float) {
      const value = values.get(name);
      const elements = integers.get(value?.name ?? "");
      if (value === undefined || elements === undefined) continue;
      const sum = squares.get(name) ?? { difference: 0, size: 0 };
      for (const [at, x] of reference.entries()) {
        const real = (elements[at] as number) * 2 ** (value.exponents[at] as number);
        sum.difference += (real - x) ** 2;
        sum.size += x ** 2;
      }
      squares.set(name, sum);
    }
    counts.taken += 1;
    const reference = float.get(shown.value) ?? [];
    const integer = integers.get(values.get(shown.value)?.name ?? "") ?? [];
    const [floatClass, integerClass] = [shown.classOf(reference), shown.classOf(integer)];
    counts.same += floatClass === integerClass ? 1 : 0;
    counts.float += floatClass === samples.labels?.[index] ? 1 : 0;
    counts.quantised += integerClass === samples.labels?.[index] ? 1 : 0;
    const target = samples.targets?.[index] ?? 0;
    const layout = { scaleExponent: values.get(shown.value)?.exponents[0] ?? 0 };
    const [first = 0] = dequantise({ layout, integers: integer.slice(0, 1).map(BigInt) });
    distance.float += ((reference[0] ?? 0) - target) ** 2;
    distance.quantised += (first - target) ** 2;
  }
  const relative = (name: string): number => {
    const { difference = 0, size = 0 } = squares.get(name) ?? {};
    return difference === 0 ? 0 : Math.sqrt(difference / size);
  };
  const share = (count: number): number => count / counts.taken;
  const root = (sum: number): number => Math.sqrt(sum / counts.taken);
  return {
    samples: counts.taken,
    refused,
    outputs: graph.outputs.map(({ name, value }) => ({ name, error: relative(value) })),
    // of what only signs depend on, nothing is lost where it is off and of one sign
    layers: graph.nodes
      .filter(({ isSign }) => isSign !== true)
      .map(({ output }) => ({ name: output, error: relative(output) })),
    agreement: share(counts.same),
    ...(samples.labels === undefined
      ? {}
      : { accuracy: { float: share(counts.float), quantised: share(counts.quantised) } }),
    ...(samples.targets === undefined
      ? {}
      : { targets: { float: root(distance.float), quantised: root(distance.quantised) } }),
  };
}

/** The value that says the class, and how. */
function classOutput(parameters: { graph: Graph; integerModel: IntegerModel }): {
  value: string;
  classOf: (elements: readonly number[]) => number | undefined;
} {
  const { graph, integerModel } = parameters;
  const label = findLabelOutput(integerModel);
  const output = graph.outputs.find(({ name }) => name === label);
  return {
    value: (output ?? graph.outputs[0])?.value ?? "",
    classOf: (elements) =>
      output === undefined ? elements.indexOf(Math.max(...elements)) : elements[0],
  };
}
