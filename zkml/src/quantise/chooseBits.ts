import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { BaseError } from "@haca/protocol/baseError";
import { type Graph, runFloatModel } from "../kinds/graph.ts";
import type { QuantisedValue } from "../kinds/quantiser.ts";
import { findLabelOutput } from "./measureAccuracy.ts";
import { type ErrorReport, measureError } from "./measureError.ts";
import { DEFAULT_QUANTISE_OPTIONS, QuantiseError, type QuantiseOptions } from "./options.ts";
import { quantiseGraph } from "./quantiseModel.ts";
import type { Samples } from "./readSamples.ts";

/** Accepted error where nobody states another: of accuracy for a classifier, relative for a regression. */
export const DEFAULT_MAXIMUM_ERROR = 0.01;

/** Calibration shows part of what comes: bits are chosen for this share of the bound. */
const CALIBRATION_SHARE = 1 / 2;

/** Bits of weights, activations and inputs to try, cheapest first. */
const LEVELS: readonly (readonly [weights: number, activations: number, input: number])[] = [
  [8, 8, 8],
  [9, 9, 8],
  [8, 8, 12],
  [9, 9, 12],
  [10, 10, 12],
  [10, 10, 16],
  [12, 12, 16],
  [12, 12, 20],
  [10, 10, 24],
  [12, 12, 24],
  [12, 12, 28],
  [14, 14, 24],
  [14, 14, 30],
  [16, 16, 28],
];

export type QuantisedModel = {
  integerModel: IntegerModel;
  options: QuantiseOptions;
  values: ReadonlyMap<string, QuantisedValue>;
  /** on calibration data */
  calibration: ErrorReport;
  /** on test data, where there are any */
  test?: ErrorReport;
};

/**
 * The integer model with the fewest bits whose error over the calibration samples keeps well within the bound; bits that
 * are given stay as they are. The error over the test samples, where there are any, must keep within it too.
 *
 * Throws `quantise.errorTooLarge` where no number of bits does, and what `quantiseModel` throws.
 */
export function chooseBits(parameters: {
  graph: Graph;
  calibration: Samples;
  test?: Samples;
  options: Partial<QuantiseOptions>;
  maximumError: number;
}): QuantisedModel {
  const { graph, calibration, test, options, maximumError } = parameters;
  let best: QuantisedModel | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  let failure: BaseError | undefined;
  let floatValues: Map<string, number[]>[] | undefined;
  const tried = new Set<string>();
  for (const [weightBits, activationBits, inputBits] of LEVELS) {
    const complete = {
      ...DEFAULT_QUANTISE_OPTIONS,
      weightBits,
      activationBits,
      inputBits,
      ...options,
    };
    const key = JSON.stringify(complete);
    if (tried.has(key)) continue;
    tried.add(key);
    try {
      const quantised = quantiseGraph({
        graph,
        calibration: calibration.inputs,
        options: complete,
        ...(test === undefined ? {} : { others: test.inputs }),
        ...(floatValues === undefined ? {} : { floatValues }),
      });
      floatValues ??= calibration.inputs.map((input) => runFloatModel({ graph, input }));
      const report = measureError({ ...quantised, graph, samples: calibration, floatValues });
      const isClass = isClassifier({ ...quantised, test });
      const found: QuantisedModel = {
        ...quantised,
        options: complete,
        calibration: report,
        ...(test === undefined
          ? {}
          : { test: measureError({ ...quantised, graph, samples: test }) }),
      };
      const share = shareOfBound({ found, maximumError, isClass });
      if (best === undefined || share < lowest) {
        best = found;
        lowest = share;
      }
      if (share <= 1) break;
    } catch (error) {
      // more bits make sums wider: what fewer bits reached still counts
      if (!(error instanceof BaseError) || error.code !== "quantise.rangeTooWide") throw error;
      failure ??= error;
    }
  }
  if (best === undefined) throw failure;
  requireWithin({ quantised: best, maximumError, isClass: isClassifier({ ...best, test }) });
  return best;
}

/** How much of what is accepted the errors take: at most 1 where bits suffice, with a reserve on calibration data. */
function shareOfBound(parameters: {
  found: QuantisedModel;
  maximumError: number;
  isClass: boolean;
}): number {
  const { found, maximumError, isClass } = parameters;
  const reserve = errorOf(found.calibration, isClass) / (maximumError * CALIBRATION_SHARE);
  return found.test === undefined
    ? reserve
    : Math.max(reserve, errorOf(found.test, isClass) / maximumError);
}

/** Whether a wrong answer is a wrong class: an output is one, or the test set has classes. */
function isClassifier(parameters: {
  integerModel: IntegerModel;
  test: Samples | undefined;
}): boolean {
  const { integerModel, test } = parameters;
  return findLabelOutput(integerModel) !== undefined || test?.labels !== undefined;
}

/** What the bound is for: lost accuracy, or classes that differ; the greatest relative error of an output. */
function errorOf(report: ErrorReport, isClass: boolean): number {
  if (report.samples === 0) return Number.POSITIVE_INFINITY;
  if (!isClass) return report.outputs.reduce((most, { error }) => Math.max(most, error), 0);
  const { accuracy, agreement, samples } = report;
  const lost =
    accuracy === undefined ? 1 - agreement : Math.max(0, accuracy.float - accuracy.quantised);
  // whole samples: the difference of two shares is a little more than the share of the difference
  return Math.round(lost * samples) / samples;
}

function requireWithin(parameters: {
  quantised: QuantisedModel;
  maximumError: number;
  isClass: boolean;
}): void {
  const { quantised, maximumError, isClass } = parameters;
  const reports = { calibration: quantised.calibration, test: quantised.test };
  for (const [set, report] of Object.entries(reports)) {
    if (report === undefined) continue;
    const error = errorOf(report, isClass);
    if (error <= maximumError) continue;
    const { first } = report.refused;
    if (report.samples === 0) {
      throw new QuantiseError({
        reason: "errorTooLarge",
        message: `none of the ${set} samples is within the input's range (${first})`,
      });
    }
    const worst = worstLayer(report);
    const what = isClass ? "percentage points of accuracy" : "% relative error";
    throw new QuantiseError({
      reason: "errorTooLarge",
      message: `the integer model loses ${percent(error)} ${what} on ${set} data, more than the ${percent(maximumError)} accepted (--max-error), most of it at ${worst}; give more bits, or accept it`,
      details: { error, maximumError, layer: worst },
    });
  }
}

/** The value at which the error grows most. */
export function worstLayer(report: ErrorReport): string {
  let before = 0;
  let worst = { name: "the input", growth: Number.NEGATIVE_INFINITY };
  for (const { name, error } of report.layers) {
    if (error - before > worst.growth) worst = { name, growth: error - before };
    before = error;
  }
  return worst.name;
}

export function percent(share: number): string {
  return (100 * share).toPrecision(3);
}
