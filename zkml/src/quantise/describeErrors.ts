import { percent, type QuantisedModel, worstLayer } from "./chooseBits.ts";

/** What people are told of how exact a model is: bits, errors on every set of samples, and where most is lost. */
export function describeErrors(quantised: QuantisedModel): string[] {
  const { options, integerModel } = quantised;
  const { weightBits, activationBits, inputBits } = options;
  const { minimum, maximum, scaleExponent, isInteger } = integerModel.input;
  const unit = 2 ** scaleExponent;
  const input =
    isInteger === true
      ? `whole numbers from ${minimum} to ${maximum} (--input-range states others)`
      : `${minimum * unit} to ${maximum * unit} in steps of ${unit}`;
  const lines = [
    `bits: weights ${weightBits}, activations ${activationBits}, input ${isInteger === true ? "as it is" : inputBits}`,
    `input: ${input}`,
  ];
  for (const [set, report] of Object.entries({
    calibration: quantised.calibration,
    test: quantised.test,
  })) {
    if (report === undefined) continue;
    const errors = report.outputs.map(({ name, error }) => `${name} ${percent(error)} %`);
    lines.push(
      `error on ${report.samples} ${set} samples, relative: ${errors.join(", ")}; same class ${percent(report.agreement)} %; most is lost at ${worstLayer(report)}`,
    );
    const { accuracy, targets, refused } = report;
    if (accuracy !== undefined) {
      const { float, quantised: integer } = accuracy;
      lines.push(`accuracy: float ${percent(float)} %, integer ${percent(integer)} %`);
    }
    if (targets !== undefined) {
      const { float, quantised: integer } = targets;
      lines.push(
        `distance to targets: float ${float.toPrecision(4)}, integer ${integer.toPrecision(4)}`,
      );
    }
    if (refused.count > 0) {
      lines.push(`${refused.count} ${set} samples are refused, the first: ${refused.first}`);
    }
  }
  return lines;
}
