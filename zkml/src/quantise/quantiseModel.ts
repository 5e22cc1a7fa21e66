import {
  elementCount,
  type IntegerModel,
  type IntegerNode,
  kindOf,
} from "@haca/model-runtime/integerModel";
import { inputBounds } from "@haca/model-runtime/tensors";
import { type Graph, runFloatModel } from "../kinds/graph.ts";
import { type QuantisedValue, type Quantiser, widthOf } from "../kinds/quantiser.ts";
import { chooseInput } from "./chooseInput.ts";
import { checkOptions, QuantiseError, type QuantiseOptions } from "./options.ts";

/**
 * Turns a float graph into integers. Scales are powers of two: of the input from its range, of weights from
 * their greatest, of hidden activations from the greatest that the calibration samples produce. Nothing
 * saturates: a sample outside the calibrated range is computed just as exactly.
 *
 * Throws `quantise.calibrationInvalid`, `quantise.optionInvalid`, `quantise.rangeTooWide`,
 * `quantise.scaleOutOfRange`, `quantise.nameTaken`.
 */
export function quantiseModel(parameters: {
  graph: Graph;
  calibration: readonly (readonly number[])[];
  options: QuantiseOptions;
}): IntegerModel {
  const { graph, calibration, options } = parameters;
  checkOptions(options);
  checkCalibration({ graph, calibration });
  const input = chooseInput({
    input: graph.input,
    samples: calibration,
    bits: options.inputBits,
    ...(options.input === undefined ? {} : { fixed: options.input }),
  });
  const nodes: IntegerNode[] = [];
  const values = new Map<string, QuantisedValue>();
  values.set(input.name, { ...input, ranges: inputBounds(input) });
  const quantiser = createQuantiser({
    options,
    nodes,
    values,
    largest: largestMagnitudes({ graph, calibration }),
  });
  const shown = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    let value = node.quantise(quantiser);
    while (shown.has(node.output) && widthOf(value) > options.outputBits) {
      value = quantiser.rescale(value, widthOf(value) - options.outputBits);
    }
    values.set(node.output, value);
  }
  return {
    format: 1,
    input,
    nodes,
    outputs: graph.outputs.map(({ name, shape, value }) => {
      const source = quantiser.valueOf(value);
      return { name, shape, value: source.name, scaleExponent: source.scaleExponent };
    }),
  };
}

/** `nodes` grows with what is added; `values` holds what the values of the graph have become so far. */
function createQuantiser(parameters: {
  options: QuantiseOptions;
  nodes: IntegerNode[];
  values: ReadonlyMap<string, QuantisedValue>;
  largest: ReadonlyMap<string, number>;
}): Quantiser {
  const { options, nodes, values, largest } = parameters;
  const integers = new Map([...values.values()].map((value) => [value.name, value]));
  const rescaled = new Map<string, QuantisedValue>();
  const add = (node: IntegerNode): QuantisedValue => {
    const name = node.output;
    const scaleExponent = "scaleExponent" in node ? node.scaleExponent : 0;
    checkNode({ name, scaleExponent, isTaken: integers.has(name) });
    const ranges = kindOf(node).bounds(node, integers.get(node.input)?.ranges ?? []);
    const value = { name, scaleExponent, ranges };
    integers.set(name, value);
    nodes.push(node);
    return value;
  };
  return {
    options,
    add,
    valueOf: (name) => values.get(name) as QuantisedValue,
    largest: (name) => largest.get(name) ?? 0,
    rescale: (value, shift) => {
      const output = `${value.name}/2^${shift}`;
      const scaleExponent = value.scaleExponent + shift;
      const result =
        rescaled.get(output) ??
        add({ kind: "rescale", input: value.name, output, scaleExponent, shift });
      rescaled.set(output, result);
      return result;
    },
  };
}

/** Refuses scales beyond 2^-128 … 2^127, which the layouts of the contracts cannot state, and a name used twice. */
function checkNode(parameters: { name: string; scaleExponent: number; isTaken: boolean }): void {
  const { name, scaleExponent, isTaken } = parameters;
  if (scaleExponent < -128 || scaleExponent > 127) {
    throw new QuantiseError({
      reason: "scaleOutOfRange",
      message: `${name}: scale 2^${scaleExponent} is outside 2^-128 to 2^127`,
      details: { value: name },
    });
  }
  if (isTaken) {
    throw new QuantiseError({
      reason: "nameTaken",
      message: `${name}: the compiler needs this name for a value of its own; rename the model's`,
      details: { value: name },
    });
  }
}

/** The greatest absolute value that each value of the graph takes over the samples. */
function largestMagnitudes(parameters: {
  graph: Graph;
  calibration: readonly (readonly number[])[];
}): Map<string, number> {
  const { graph, calibration } = parameters;
  const largest = new Map<string, number>();
  for (const sample of calibration) {
    for (const [name, elements] of runFloatModel({ graph, input: sample })) {
      let magnitude = largest.get(name) ?? 0;
      for (const element of elements) {
        magnitude = Math.max(magnitude, Math.abs(element));
      }
      largest.set(name, magnitude);
    }
  }
  return largest;
}

function checkCalibration(parameters: {
  graph: Graph;
  calibration: readonly (readonly number[])[];
}): void {
  const { graph, calibration } = parameters;
  const fail = (message: string) => new QuantiseError({ reason: "calibrationInvalid", message });
  const expected = elementCount(graph.input.shape);
  if (calibration.length === 0) {
    throw fail("the calibration set has no samples");
  }
  for (const [index, sample] of calibration.entries()) {
    if (sample.length !== expected) {
      throw fail(`calibration sample ${index} has ${sample.length} elements, expected ${expected}`);
    }
    const bad = sample.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      throw fail(`calibration sample ${index}, element ${bad} is not a finite number`);
    }
  }
}
