import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { LoadedModel } from "@haca/model-runtime/loadModel";
import { dequantise, quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import type { WitnessSignals } from "@haca/model-runtime/witness/computeWitness";
import type { Manifest } from "@haca/protocol/manifest";

/** What a model says of an input, and what its circuit is given to show it. */
export type Answer = {
  /** integers of every output tensor */
  outputs: bigint[][];
  signals: WitnessSignals;
  /** public signals: input words or their commitment, output words, context */
  publicSignals: string[];
  /** of a salted input */
  salt?: bigint;
};

/** Runs the integer model, which the circuit agrees with bit by bit. Throws `input.*`, `salt.*` and `context.outOfRange`. */
export function answerInput(parameters: {
  manifest: Pick<Manifest, "input" | "outputs" | "inputMode">;
  integerModel: IntegerModel;
  /** real numbers, in row-major order */
  values: readonly number[];
  context: bigint;
  /** of the input, where the model takes one */
  salt?: bigint | undefined;
}): Answer {
  const { manifest, integerModel, values, context, salt } = parameters;
  const input = quantiseInput({ manifest, values });
  const outputs = runIntegerModel({ integerModel, input });
  const { signals, words } = circuitInput({ manifest, input, outputs, context, salt });
  const publicSignals = [...words, context].map(String);
  return { outputs, signals, publicSignals, ...(salt === undefined ? {} : { salt }) };
}

/** Outputs in real numbers by name, and of a classifier its class; as the worker answers them. */
export function describeOutputs(parameters: {
  manifest: LoadedModel["manifest"];
  outputs: readonly (readonly bigint[])[];
}): {
  label: number | null;
  /** name of the class, where the model names its classes */
  class?: string;
  outputs: Record<string, number[]>;
} {
  const { manifest } = parameters;
  const outputs = Object.fromEntries(
    manifest.outputs.map(({ name, layout }, index) => [
      name,
      dequantise({ layout, integers: parameters.outputs[index] ?? [] }),
    ]),
  );
  const { labelOutput } = manifest;
  const label = labelOutput === undefined ? null : (outputs[labelOutput]?.[0] ?? null);
  const classes = manifest.outputs.find(({ name }) => name === labelOutput)?.classes;
  const name = label === null ? undefined : classes?.[label];
  return { label, ...(name === undefined ? {} : { class: name }), outputs };
}
