import { elementWidth, signedWidth } from "@haca/model-runtime/bitWidth";
import { boundsOfNode, type Range, unionRange } from "@haca/model-runtime/computeBounds";
import type { IntegerModel, IntegerNode } from "@haca/model-runtime/integerModel";
import { elementCount } from "@haca/model-runtime/integerModel";
import { QuantiseError } from "@haca/model-runtime/quantiseError";
import type { IrGraph, IrNode } from "../kinds/irGraph.ts";
import { runFloatModel } from "../kinds/runFloatModel.ts";
import { chooseInput, type InputRange } from "./chooseInput.ts";
import { quantiseAffine } from "./quantiseAffine.ts";
import { scaleExponentFor } from "./scale.ts";

export type QuantiseOptions = {
  /** bits of a weight, sign included */
  weightBits: number;
  /** bits of a hidden activation over the range that calibration shows */
  activationBits: number;
  /** bits of an input element, for inputs that are real numbers */
  inputBits: number;
  /** outputs that can be wider are divided by a power of two */
  outputBits: number;
  /** fixes range and scale of the input instead of taking them from calibration */
  input?: InputRange;
};

export const DEFAULT_QUANTISE_OPTIONS: QuantiseOptions = {
  weightBits: 8,
  activationBits: 8,
  inputBits: 8,
  outputBits: 24,
};

/** An affine node reads its input as it is up to this width, and divided by a power of two beyond. */
const MAXIMUM_OPERAND_BITS = 24;

/** A value of the integer model while it is built. */
type Quantised = { name: string; scaleExponent: number; bounds: Range[] };

/**
 * Turns a float graph into integers. Scales are powers of two: of the input from its range, of weights from
 * their greatest, of hidden activations from the greatest that the calibration samples produce. Nothing
 * saturates: a sample outside the calibrated range is computed just as exactly.
 *
 * Throws `quantise.calibrationInvalid`, `quantise.optionInvalid`, `quantise.rangeTooWide`,
 * `quantise.scaleOutOfRange`.
 */
export function quantiseModel(parameters: {
  graph: IrGraph;
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
  const largest = largestMagnitudes({ graph, calibration });
  const nodes: IntegerNode[] = [];
  const values = new Map<string, Quantised>();
  const range = { minimum: BigInt(input.minimum), maximum: BigInt(input.maximum) };
  values.set(input.name, {
    name: input.name,
    scaleExponent: input.scaleExponent,
    bounds: new Array<Range>(elementCount(input.shape)).fill(range),
  });
  const add = (node: IntegerNode, source: Quantised, scaleExponent: number): Quantised => {
    nodes.push(node);
    const bounds = boundsOfNode({ node, input: source.bounds });
    return { name: node.output, scaleExponent, bounds };
  };
  /** `value` divided by 2^shift, as a value of its own */
  const rescale = (value: Quantised, shift: number): Quantised => {
    const scaleExponent = value.scaleExponent + shift;
    const output = `${value.name}/2^${shift}`;
    return add(
      { kind: "rescale", input: value.name, output, scaleExponent, shift },
      value,
      scaleExponent,
    );
  };
  const quantiseNode = (node: IrNode): Quantised => {
    const source = values.get(node.input) as Quantised;
    switch (node.kind) {
      case "affine": {
        const excess = tensorWidth(source) - MAXIMUM_OPERAND_BITS;
        const operand = excess > 0 ? rescale(source, excess) : source;
        const affine = quantiseAffine({
          node,
          input: operand.name,
          inputExponent: operand.scaleExponent,
          weightBits: options.weightBits,
        });
        return add(affine, operand, affine.scaleExponent);
      }
      case "relu": {
        const wanted = scaleExponentFor({
          largest: largest.get(node.output) ?? 0,
          limit: 2 ** options.activationBits - 1,
        });
        const shift = Math.max(0, wanted - source.scaleExponent);
        const scaleExponent = source.scaleExponent + shift;
        return add(
          { kind: "relu", input: source.name, output: node.output, scaleExponent, shift },
          source,
          scaleExponent,
        );
      }
      case "argMax":
        return add({ kind: "argMax", input: source.name, output: node.output }, source, 0);
    }
  };
  const shown = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    let value = quantiseNode(node);
    while (shown.has(node.output) && tensorWidth(value) > options.outputBits) {
      value = rescale(value, tensorWidth(value) - options.outputBits);
    }
    values.set(node.output, value);
  }
  return checkScales({
    format: 1,
    input,
    nodes,
    outputs: graph.outputs.map(({ name, shape, value }) => {
      const source = values.get(value) as Quantised;
      return { name, shape, value: source.name, scaleExponent: source.scaleExponent };
    }),
  });
}

/** Refuses scales beyond 2^-128 … 2^127, which the layouts of the contracts cannot state. */
function checkScales(model: IntegerModel): IntegerModel {
  for (const node of model.nodes) {
    if (node.kind !== "argMax" && (node.scaleExponent < -128 || node.scaleExponent > 127)) {
      throw new QuantiseError({
        reason: "scaleOutOfRange",
        message: `${node.output}: scale 2^${node.scaleExponent} is outside 2^-128 to 2^127`,
        details: { value: node.output },
      });
    }
  }
  return model;
}

/** Width that holds every element of a value. */
function tensorWidth(value: Quantised): number {
  const range = unionRange(value.bounds);
  return range.minimum < 0n ? signedWidth(range) : elementWidth(range).bits;
}

/** The greatest absolute value that each value of the graph takes over the samples. */
function largestMagnitudes(parameters: {
  graph: IrGraph;
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

function checkOptions(options: QuantiseOptions): void {
  const limits = [
    ["weightBits", 2, 16],
    ["activationBits", 2, 16],
    ["inputBits", 2, 16],
    ["outputBits", 2, 53],
  ] as const;
  for (const [name, minimum, maximum] of limits) {
    const value = options[name];
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new QuantiseError({
        reason: "optionInvalid",
        message: `${name} must be an integer from ${minimum} to ${maximum}, got ${value}`,
      });
    }
  }
}

function checkCalibration(parameters: {
  graph: IrGraph;
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
