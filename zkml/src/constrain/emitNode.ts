import { bitLength, signedWidth } from "@haca/model-runtime/bitWidth";
import type { Range } from "@haca/model-runtime/computeBounds";
import type { IntegerNode, IntegerRow } from "@haca/model-runtime/integerModel";
import { commentText, matrix, vector } from "./format.ts";

/** A sum with more terms than this is written as a row of a matrix, not term by term. */
const MAXIMUM_TERMS = 256;

/** The lines of one node of the model. Bit widths are the exact ones of each element's range. */
export function emitNode(parameters: {
  node: IntegerNode;
  /** circuit's signal of each value, this node's output included */
  signals: ReadonlyMap<string, string>;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): string[] {
  const { node, signals, bounds } = parameters;
  const input = signals.get(node.input) as string;
  const output = signals.get(node.output) as string;
  const ranges = bounds.get(node.input) ?? [];
  const count = bounds.get(node.output)?.length ?? 0;
  const title = `    // ${commentText(node.output)}: `;
  switch (node.kind) {
    case "affine":
      return [
        `${title}${count} weighted sums, scale 2^${node.scaleExponent}`,
        ...emitAffine({ rows: node.rows, inputCount: node.inputCount, input, output }),
        "",
      ];
    case "relu": {
      const widths = ranges.map((range) => reluWidth({ range, shift: node.shift }));
      return [
        `${title}ReLU, scale 2^${node.scaleExponent}; width 0: the sum is never positive enough to give 1`,
        `    var ${output}Widths[${count}] = ${vector(widths)};`,
        `    signal ${output}[${count}];`,
        `    for (var i = 0; i < ${count}; i++) {`,
        `        if (${output}Widths[i] == 0) {`,
        `            ${output}[i] <== 0;`,
        "        } else {",
        `            ${output}[i] <== ReluRescale(${output}Widths[i], ${node.shift})(${input}[i]);`,
        "        }",
        "    }",
        "",
      ];
    }
    case "rescale": {
      const widths = ranges.map((range) =>
        Math.max(node.shift + 1, signedWidth(withHalf({ range, shift: node.shift }))),
      );
      return [
        `${title}rounded, scale 2^${node.scaleExponent}`,
        `    var ${output}Widths[${count}] = ${vector(widths)};`,
        `    signal ${output}[${count}];`,
        `    for (var i = 0; i < ${count}; i++) {`,
        `        ${output}[i] <== Rescale(${output}Widths[i], ${node.shift})(${input}[i]);`,
        "    }",
        "",
      ];
    }
    case "argMax":
      return [
        `${title}index of the greatest`,
        `    signal ${output}[1];`,
        `    ${output}[0] <== ArgMax(${ranges.length}, ${differenceWidth(ranges)})(${input});`,
        "",
      ];
  }
}

function emitAffine(parameters: {
  rows: readonly IntegerRow[];
  inputCount: number;
  input: string;
  output: string;
}): string[] {
  const { rows, inputCount, input, output } = parameters;
  const terms = rows.reduce((sum, { indices }) => sum + indices.length, 0);
  const isLong = rows.some(({ indices }) => indices.length > MAXIMUM_TERMS);
  if (!isLong && terms * 2 < rows.length * inputCount) {
    return [
      `    signal ${output}[${rows.length}];`,
      ...rows.map((row, index) => `    ${output}[${index}] <== ${weightedSum({ row, input })};`),
    ];
  }
  const weights = rows.map((row) => {
    const full = new Array<number>(inputCount).fill(0);
    for (const [position, index] of row.indices.entries()) {
      full[index] = row.weights[position] as number;
    }
    return full;
  });
  const biases = rows.map(({ bias }) => bias);
  return [
    `    var ${output}Weights[${rows.length}][${inputCount}] = ${matrix(weights)};`,
    `    var ${output}Biases[${rows.length}] = ${vector(biases)};`,
    `    signal ${output}[${rows.length}] <== Dense(${inputCount}, ${rows.length}, ${output}Weights, ${output}Biases)(${input});`,
  ];
}

function weightedSum(parameters: { row: IntegerRow; input: string }): string {
  const { row, input } = parameters;
  const terms = row.indices.map(
    (index, position) => `${row.weights[position]} * ${input}[${index}]`,
  );
  return [...terms, String(row.bias)].join(" + ");
}

function withHalf(parameters: { range: Range; shift: number }): Range {
  const { range, shift } = parameters;
  const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
  return { minimum: range.minimum + half, maximum: range.maximum + half };
}

/** Width of ReluRescale, or 0 where its result is always 0. */
function reluWidth(parameters: { range: Range; shift: number }): number {
  const { shift } = parameters;
  const range = withHalf(parameters);
  return range.maximum >> BigInt(shift) <= 0n ? 0 : signedWidth(range);
}

/** Bits that hold every difference between two different elements. */
function differenceWidth(ranges: readonly Range[]): number {
  let width = 1;
  for (const [i, { maximum }] of ranges.entries()) {
    for (const [j, { minimum }] of ranges.entries()) {
      if (i !== j && maximum > minimum) {
        width = Math.max(width, bitLength(maximum - minimum));
      }
    }
  }
  return width;
}
