import {
  elementCount,
  gather,
  type IntegerModel,
  type IntegerNode,
  inputsOf,
  kindOf,
} from "@haca/model-runtime/integerModel";
import { bitLength, elementWidth, unionRange } from "@haca/model-runtime/kinds/ranges";
import { type Shifts, shiftAt } from "@haca/model-runtime/kinds/rescale";
import { inputBounds } from "@haca/model-runtime/tensors";
import { addRows } from "../kinds/affine.ts";
import { type Graph, runFloatModel } from "../kinds/graph.ts";
import {
  coarsest,
  finest,
  type QuantisedValue,
  type Quantiser,
  scaleExponentFor,
  widthOf,
} from "../kinds/quantiser.ts";
import { sharedShift } from "../kinds/relu.ts";
import { chooseInput } from "./chooseInput.ts";
import { checkOptions, QuantiseError, type QuantiseOptions } from "./options.ts";

/**
 * Turns a float graph into integers. Scales are powers of two: of the input from its range, of weights from the greatest
 * of their row, of hidden activations from the greatest that the calibration samples produce, channel by channel.
 * A sample outside the calibrated range is computed just as exactly, up to where `saturate` cuts the ReLUs of deep models off.
 *
 * Throws `quantise.calibrationInvalid`, `quantise.optionInvalid`, `quantise.rangeTooWide`,
 * `quantise.scaleOutOfRange`, `quantise.nameTaken`.
 */
export function quantiseModel(parameters: QuantiseParameters): IntegerModel {
  return quantiseGraph(parameters).integerModel;
}

/** Upper digits of a value are at least so many of what calibration shows. */
const LEAST_UPPER_DIGITS = 2;

export type QuantiseParameters = {
  graph: Graph;
  calibration: readonly (readonly number[])[];
  options: QuantiseOptions;
  /** samples that say whether the input is made of whole numbers, besides calibration */
  others?: readonly (readonly number[])[];
  /** the float values of the calibration samples, where they were computed before */
  floatValues?: FloatValues;
};

/** The values of the graph for every calibration sample. */
export type FloatValues = readonly ReadonlyMap<string, number[]>[];

/** `quantiseModel`, and what every value of the graph has become. */
export function quantiseGraph(parameters: QuantiseParameters): {
  integerModel: IntegerModel;
  values: ReadonlyMap<string, QuantisedValue>;
} {
  const { graph, calibration, options, others = [] } = parameters;
  checkOptions(options);
  checkCalibration({ graph, calibration });
  const input = chooseInput({
    input: graph.input,
    samples: calibration,
    others,
    bits: options.inputBits,
    ...(options.input === undefined ? {} : { fixed: options.input }),
  });
  const nodes: IntegerNode[] = [];
  const values = new Map<string, QuantisedValue>();
  const ranges = inputBounds(input);
  const exponents = ranges.map(() => input.scaleExponent);
  values.set(input.name, { name: input.name, exponents, ranges });
  const floatValues =
    parameters.floatValues ?? calibration.map((sample) => runFloatModel({ graph, input: sample }));
  const quantiser = createQuantiser({ graph, options, nodes, values, floatValues });
  const shown = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    let value = node.quantise(quantiser);
    if (shown.has(node.output)) {
      value = quantiser.alike(value);
      while (widthOf(value) > options.outputBits) {
        value = quantiser.rescale(value, widthOf(value) - options.outputBits);
      }
    }
    values.set(node.output, value);
  }
  const integerModel: IntegerModel = {
    format: 1,
    input,
    nodes,
    outputs: graph.outputs.map(({ name, shape, value }) => {
      const source = quantiser.valueOf(value);
      return { name, shape, value: source.name, scaleExponent: coarsest(source.exponents) };
    }),
  };
  return { integerModel, values };
}

/** `nodes` grows with what is added; `values` holds what the values of the graph have become so far. */
function createQuantiser(parameters: {
  graph: Graph;
  options: QuantiseOptions;
  nodes: IntegerNode[];
  values: ReadonlyMap<string, QuantisedValue>;
  floatValues: FloatValues;
}): Quantiser {
  const { graph, options, nodes, values, floatValues } = parameters;
  const integers = new Map([...values.values()].map((value) => [value.name, value]));
  const magnitudes = magnitudesOf({ floatValues });
  const averages = new Map<string, Averages>();
  const averagesFor = (name: string): Averages => {
    const known = averages.get(name) ?? averagesOf({ name, floatValues });
    averages.set(name, known);
    return known;
  };
  const compared = new Set(
    graph.nodes.flatMap(({ inputs, isComparison }) => (isComparison === true ? inputs : [])),
  );
  const activations = findActivations(graph);
  const limit = 2 ** options.activationBits - 1;
  const activationExponents = new Map<string, number[]>();
  const exponentsOf = (name: string): number[] => {
    const known = activationExponents.get(name);
    if (known !== undefined) return known;
    const exponents = channelMagnitudes({ graph, name, magnitudes }).map((largest) =>
      scaleExponentFor({ largest, limit }),
    );
    activationExponents.set(name, exponents);
    return exponents;
  };
  const add: Quantiser["add"] = (node, exponents) => {
    const name = node.output;
    const [scaleExponent] = exponents;
    checkNode({
      name,
      exponents: [finest(exponents), coarsest(exponents)],
      isTaken: integers.has(name),
    });
    const names = inputsOf(node);
    const read = new Map(names.map((key) => [key, integers.get(key)?.ranges ?? []]));
    const ranges = kindOf(node).bounds(node, gather(names, read));
    const full = ranges.map((_, index) => exponents[index] ?? scaleExponent ?? 0);
    const value = { name, exponents: full, ranges };
    integers.set(name, value);
    nodes.push(node);
    return value;
  };
  const refine: Quantiser["refine"] = ({ source, output, by }) =>
    addRows({
      quantiser: { add },
      source,
      output,
      exponents: source.exponents.map((exponent, index) => exponent - (by[index] as number)),
      rows: by.map((shift, index) => ({ indices: [index], weights: [2 ** shift], bias: 0 })),
    });
  const divide = (value: QuantisedValue, output: string, shift: Shifts): QuantisedValue => {
    const exponents = value.exponents.map((exponent, index) => exponent + shiftAt(shift, index));
    const scaleExponent = coarsest(exponents);
    return (
      integers.get(output) ??
      add({ kind: "rescale", input: value.name, output, scaleExponent, shift }, exponents)
    );
  };
  return {
    options,
    add,
    refine,
    rescale: (value, shift) => divide(value, `${value.name}/2^${shift}`, shift),
    valueOf: (name) => values.get(name) as QuantisedValue,
    largest: (name) => Array.from(magnitudes.get(name) ?? []).reduce((a, b) => Math.max(a, b), 0),
    magnitudes: (name) => Array.from(magnitudes.get(name) ?? []),
    means: (name) => averagesFor(name).means,
    rootMeanSquares: (name) => averagesFor(name).rootMeanSquares,
    isCompared: (name) => compared.has(name),
    activationExponent: (name, index) => exponentsOf(name)[index] ?? 0,
    exponentAfter: (name) => {
      const activation = activations.get(name);
      if (activation === undefined) return undefined;
      const { output, places } = activation;
      const exponents = exponentsOf(output);
      return (index) => exponents[places === undefined ? index : (places.get(index) ?? -1)];
    },
    isInput: ({ name }) => name === graph.input.name,
    upper: (source, { shift: asked, readers }) => {
      const isInput = source.name === graph.input.name;
      const isRelu = nodes.some(({ kind, output }) => kind === "relu" && output === source.name);
      if (!(isInput || isRelu)) return undefined;
      const { minimum, maximum } = unionRange(source.ranges);
      const width = isInput ? bitLength(maximum - minimum) : options.activationBits;
      const shift = Math.min(asked, width - LEAST_UPPER_DIGITS);
      const isCheap = isInput || readers * shift > source.ranges.length;
      if (shift < 1 || !isCheap) return undefined;
      const offset = -Number(minimum);
      const output = `${source.name}/upper${shift}`;
      const exponents = source.exponents.map((exponent) => exponent + shift);
      const scaleExponent = coarsest(exponents);
      const value =
        integers.get(output) ??
        add({ kind: "floor", input: source.name, output, scaleExponent, offset, shift }, exponents);
      return { value, centre: (2 ** shift - 1) / 2 - offset, shift };
    },
    alike: (value) => {
      const least = finest(value.exponents);
      if (value.exponents.every((exponent) => exponent === least)) return value;
      const output = `${value.name}/alike`;
      const by = value.exponents.map((exponent) => exponent - least);
      return integers.get(output) ?? refine({ source: value, output, by });
    },
    narrow: (value, bits) => {
      const shifts = value.ranges.map((range) => Math.max(0, elementWidth(range).bits - bits));
      return shifts.every((shift) => shift === 0)
        ? value
        : divide(value, `${value.name}/${bits}bits`, sharedShift(shifts));
    },
  };
}

/**
 * The activation that reads each value, and at which of its elements each element of the value comes to it where only the
 * greatest do.
 */
function findActivations(
  graph: Graph,
): Map<string, { output: string; places?: ReadonlyMap<number, number> }> {
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  const found = new Map<string, { output: string; places?: ReadonlyMap<number, number> }>();
  for (const { inputs, output, isActivation } of graph.nodes) {
    let [name = ""] = inputs;
    if (isActivation !== true) continue;
    let places: Map<number, number> | undefined;
    while (!found.has(name)) {
      found.set(name, { output, ...(places === undefined ? {} : { places }) });
      const { pairs, inputs = [] } = producers.get(name) ?? {};
      if (pairs === undefined) break;
      const after = places;
      places = new Map(
        pairs.flatMap((pair, index) =>
          pair.map((at) => [at, after === undefined ? index : (after.get(index) ?? -1)] as const),
        ),
      );
      name = inputs.at(-1) ?? "";
    }
  }
  return found;
}

/** Refuses scales beyond 2^-128 … 2^127, which the layouts of the contracts cannot state, and a name used twice. */
function checkNode(parameters: { name: string; exponents: number[]; isTaken: boolean }): void {
  const { name, exponents, isTaken } = parameters;
  const scaleExponent = exponents.find((exponent) => !(exponent >= -128 && exponent <= 127));
  if (scaleExponent !== undefined) {
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

/** The greatest absolute value that each element of each value of the graph takes over the samples. */
function magnitudesOf(parameters: { floatValues: FloatValues }): Map<string, Float64Array> {
  const magnitudes = new Map<string, Float64Array>();
  for (const values of parameters.floatValues) {
    for (const [name, elements] of values) {
      const largest = magnitudes.get(name) ?? new Float64Array(elements.length);
      for (const [index, element] of elements.entries()) {
        largest[index] = Math.max(largest[index] as number, Math.abs(element));
      }
      magnitudes.set(name, largest);
    }
  }
  return magnitudes;
}

type Averages = { means: number[]; rootMeanSquares: number[] };

/** Mean and root mean square over the samples of each element of a value of the graph. */
function averagesOf(parameters: { name: string; floatValues: FloatValues }): Averages {
  const { name, floatValues } = parameters;
  const sums: number[] = [];
  const squares: number[] = [];
  for (const values of floatValues) {
    for (const [index, element] of (values.get(name) ?? []).entries()) {
      sums[index] = (sums[index] ?? 0) + element;
      squares[index] = (squares[index] ?? 0) + element ** 2;
    }
  }
  return {
    means: sums.map((sum) => sum / floatValues.length),
    rootMeanSquares: squares.map((sum) => Math.sqrt(sum / floatValues.length)),
  };
}

/**
 * The magnitudes of an activation's elements, the greatest of a channel for all of its elements: what one pixel happened
 * to show says little. An element that was 0 in all samples takes the greatest of all.
 */
function channelMagnitudes(parameters: {
  graph: Graph;
  name: string;
  magnitudes: ReadonlyMap<string, Float64Array>;
}): number[] {
  const { graph, name, magnitudes } = parameters;
  const source = graph.nodes.find(({ output }) => output === name)?.inputs[0];
  const before = graph.nodes.find(({ output }) => output === source);
  const size = before?.affine?.channelSize ?? before?.channelSize ?? 1;
  const own = Array.from(magnitudes.get(name) ?? []);
  const greatest = own.reduce((a, b) => Math.max(a, b), 0);
  for (let start = 0; start < own.length; start += size) {
    const channel = own.slice(start, start + size).reduce((a, b) => Math.max(a, b), 0);
    own.fill(channel === 0 ? greatest : channel, start, start + size);
  }
  return own;
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
