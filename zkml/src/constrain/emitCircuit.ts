import { type IntegerModel, inputsOf } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { describeTensors } from "@haca/model-runtime/tensors";
import { type TensorLayout, wordCount } from "@haca/protocol/tensorLayout";
import { commentText } from "../kinds/circuitKind.ts";
import { circuitOf } from "../kinds/kinds.ts";

/** Files of `circuits/templates` that every circuit includes; further ones only where a node needs them. */
const TEMPLATES = [
  "argMax",
  "bindContext",
  "dense",
  "packedWords",
  "rangeCheck",
  "reluRescale",
  "rescale",
];

/**
 * The circuit of a model as one circom file over the templates of `circuits/templates`.
 *
 * Public signals, in this order: inputWords, outputWords, context. Private input: `elements`, the integers of the
 * input tensor plus the offset of its layout. Output words are claimed by the prover and constrained to equal
 * what the circuit computes. Returns the source and the circuit's name for every value of the model.
 */
export function emitCircuit(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): { source: string; signals: Map<string, string> } {
  const { integerModel, bounds } = parameters;
  const { input, outputs } = describeTensors(parameters);
  const outputLayouts = outputs.map(({ layout }) => layout);
  const signals = new Map([[integerModel.input.name, "quantised"]]);
  const templates = new Set(TEMPLATES);
  const nodes = integerModel.nodes.map((node, index) => {
    const { template, constrain } = circuitOf(node);
    if (template !== undefined) templates.add(template);
    const output = { signal: `${node.kind}${index}`, count: bounds.get(node.output)?.length ?? 0 };
    signals.set(node.output, output.signal);
    const inputs = inputsOf(node).map((name) => ({
      signal: signals.get(name) ?? "",
      ranges: bounds.get(name) ?? [],
    }));
    const input = inputs[0] ?? { signal: "", ranges: [] };
    const { title, lines } = constrain({ node, input, inputs, output });
    return [`    // ${commentText(node.output)}: ${title}`, ...lines, ""];
  });
  const lines = [
    "pragma circom 2.2.0;",
    "",
    "// Written by the zkml compiler. Weights are constants of this circuit.",
    "",
    ...[...templates].sort().map((name) => `include "${name}.circom";`),
    "",
    "template Model() {",
    "    // public signals",
    `    signal input inputWords[${wordCount([input.layout])}];`,
    `    signal input outputWords[${wordCount(outputLayouts)}];`,
    "    signal input context;",
    "",
    "    // private: input integers plus the offset of their layout",
    `    signal input elements[${input.layout.count}];`,
    "",
    "    BindContext()(context);",
    "",
    ...emitInput(input),
    ...nodes.flat(),
    ...emitOutputs({ integerModel, outputs, signals }),
    "}",
    "",
    "component main {public [inputWords, outputWords, context]} = Model();",
    "",
  ];
  return { source: lines.join("\n"), signals };
}

type Tensor = { name: string; layout: TensorLayout; minimum: number; maximum: number };

const offsetOf = ({ bits, isSigned }: TensorLayout): bigint =>
  isSigned ? 1n << BigInt(bits - 1) : 0n;

function emitInput(input: Tensor): string[] {
  const { layout, minimum, maximum } = input;
  const { count, bits } = layout;
  const words = wordCount([layout]);
  return [
    `    // ${commentText(input.name)}: ${count} integers from ${minimum} to ${maximum}, scale 2^${layout.scaleExponent}`,
    `    signal quantised[${count}];`,
    `    var inputWidths[${count}];`,
    `    for (var i = 0; i < ${count}; i++) {`,
    `        quantised[i] <== elements[i] - ${offsetOf(layout)};`,
    `        RangeCheck(${maximum - minimum})(quantised[i] - (${minimum}));`,
    `        inputWidths[i] = ${bits};`,
    "    }",
    `    signal packedInput[${words}] <== PackedWords(${words}, ${count}, inputWidths)(elements);`,
    `    for (var i = 0; i < ${words}; i++) {`,
    "        packedInput[i] === inputWords[i];",
    "    }",
    "",
  ];
}

function emitOutputs(parameters: {
  integerModel: IntegerModel;
  outputs: readonly Tensor[];
  signals: ReadonlyMap<string, string>;
}): string[] {
  const { integerModel, outputs, signals } = parameters;
  const layouts = outputs.map(({ layout }) => layout);
  const total = layouts.reduce((sum, { count }) => sum + count, 0);
  const words = wordCount(layouts);
  const lines = [`    signal results[${total}];`, `    var outputWidths[${total}];`];
  let start = 0;
  for (const [index, { name, layout, minimum, maximum }] of outputs.entries()) {
    const signal = signals.get(integerModel.outputs[index]?.value ?? "");
    const { count, bits } = layout;
    lines.push(
      `    // ${commentText(name)}: ${count} integers from ${minimum} to ${maximum} in ${bits} bits, scale 2^${layout.scaleExponent}`,
      `    for (var i = 0; i < ${count}; i++) {`,
      `        results[${start} + i] <== ${signal}[i] + ${offsetOf(layout)};`,
      `        outputWidths[${start} + i] = ${bits};`,
      "    }",
    );
    start += count;
  }
  return [
    ...lines,
    `    signal packedOutput[${words}] <== PackedWords(${words}, ${total}, outputWidths)(results);`,
    `    for (var i = 0; i < ${words}; i++) {`,
    "        packedOutput[i] === outputWords[i];",
    "    }",
  ];
}
