import { elementCount } from "@haca/model-runtime/integerModel";
import { affineNode } from "./affine.ts";
import { bent } from "./bend.ts";
import { clipNode } from "./clip.ts";
import { concatNode } from "./concat.ts";
import { channelSizeOf, lines, shapeOf } from "./elementwise.ts";
import { broadcastIndices, broadcastShape } from "./indexing.ts";
import type { GraphNode, Lowered, Operator, ValueOperand } from "./kind.ts";
import {
  numberAttribute,
  requireAffordable,
  requireConstant,
  requireOperand,
  requireValue,
  shapeMismatch,
  unsupported,
  usable,
} from "./operands.ts";
import { reluNode } from "./relu.ts";

/** x where it is positive, slope * x elsewhere. */
export const leakyRelu: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireValue({ node, operands, index: 0 });
    const slope = numberAttribute(node, "alpha", 0.01);
    return bent({ operand, output, left: () => slope });
  },
};

/** LeakyRelu with constant slopes that broadcast to the value. */
export const pRelu: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireValue({ node, operands, index: 0 });
    const { shape, data } = requireConstant({ node, operands, index: 1 });
    if (broadcastShape(shape, operand.shape)?.join() !== operand.shape.join()) {
      throw shapeMismatch({
        node,
        why: `slopes [${shape}] do not broadcast to [${operand.shape}]`,
      });
    }
    const pairing = broadcastIndices({ from: shape, to: operand.shape });
    const left = (index: number) => data[pairing[index] as number] as number;
    return bent({ operand, output, left });
  },
};

/** |x|. */
export const absolute: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    if (operand.kind === "constant") {
      const { shape, data } = usable(node, operand.tensor);
      return { operand: { kind: "constant", tensor: { shape, data: data.map(Math.abs) } } };
    }
    return bent({ operand, output, left: () => -1 });
  },
};

/** HardSigmoid: alpha * x + beta, cut to [0, 1]. */
export const hardSigmoid: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireValue({ node, operands, index: 0 });
    const alpha = numberAttribute(node, "alpha", 0.2);
    const beta = numberAttribute(node, "beta", 0.5);
    const line = lines({ ...operand, output: `${output}/line`, line: () => [alpha, beta] });
    return {
      operand: { kind: "value", value: output, shape: operand.shape },
      nodes: [
        ...(line.node === undefined ? [] : [line.node]),
        clipNode({ input: `${output}/line`, output, minimum: 0, maximum: 1 }),
      ],
    };
  },
};

/** Max and Min of values and constants, pair by pair: max(a, b) = a + relu(b - a). */
export const maximum: Operator = { lower: (given) => extremes({ ...given, sign: 1 }) };
export const minimum: Operator = { lower: (given) => extremes({ ...given, sign: -1 }) };

function extremes(parameters: Parameters<Operator["lower"]>[0] & { sign: 1 | -1 }): Lowered {
  const { node, operands, output, sign } = parameters;
  const all = operands.map((_, index) => requireOperand({ node, operands, index }));
  const shape = all
    .map(shapeOf)
    .reduce<number[] | undefined>(
      (shared, one) => (shared === undefined ? undefined : broadcastShape(shared, one)),
      [],
    );
  if (shape === undefined) {
    throw shapeMismatch({ node, why: "its operands do not broadcast to one shape" });
  }
  requireAffordable({ node, shape });
  const values = all.filter((operand): operand is ValueOperand => operand.kind === "value");
  if (values.length === 0) throw unsupported({ node, why: "none of its operands is computed" });
  const nodes: GraphNode[] = [];
  const joined = values.length === 1 ? (values[0]?.value ?? "") : `${output}/operands`;
  if (values.length > 1) {
    nodes.push(concatNode({ inputs: values.map(({ value }) => value), output: joined }));
  }
  const planes: Term[][] = [];
  let start = 0;
  for (const operand of all) {
    const pairing = broadcastIndices({ from: shapeOf(operand), to: shape });
    if (operand.kind === "value") {
      const from = start;
      planes.push(pairing.map((index) => ({ index: from + index, sign })));
      start += elementCount(operand.shape);
    } else {
      const { data } = usable(node, operand.tensor);
      planes.push(pairing.map((index) => ({ constant: sign * (data[index] as number) })));
    }
  }
  nodes.push(
    ...tournament({
      input: joined,
      inputCount: start,
      planes,
      output,
      channelSize: channelSizeOf(shape),
      sign,
    }),
  );
  return { operand: { kind: "value", value: output, shape }, nodes };
}

/** An element with a sign, or a constant. */
type Term = { index: number; sign: 1 | -1 } | { constant: number };

/**
 * For each position the greatest of its terms, one of each plane, in rounds of pairs: a + relu(b - a). Exact where what
 * it reads is as narrow as an activation.
 */
export function tournament(parameters: {
  input: string;
  inputCount: number;
  planes: Term[][];
  output: string;
  channelSize: number;
  /** sign of the result */
  sign: 1 | -1;
}): GraphNode[] {
  const { output, channelSize, sign } = parameters;
  let { input, inputCount, planes } = parameters;
  const nodes: GraphNode[] = [];
  for (let round = 1; planes.length > 1; round++) {
    const size = planes[0]?.length ?? 0;
    const pairs = Math.floor(planes.length / 2);
    const name = `${output}/round${round}`;
    const differences = Array.from({ length: pairs }, (_, pair) =>
      (planes[2 * pair] as Term[]).map((a, at) =>
        rowOf([planes[2 * pair + 1]?.[at] as Term, 1], [a, -1]),
      ),
    );
    nodes.push(
      affineNode({
        input,
        output: `${name}/difference`,
        inputCount,
        channelSize,
        rows: differences.flat(),
      }),
      reluNode({ input: `${name}/difference`, output: `${name}/excess` }),
      concatNode({ inputs: [input, `${name}/excess`], output: `${name}/operands` }),
    );
    const before = inputCount;
    const excess = (pair: number, at: number): Term => ({
      index: before + pair * size + at,
      sign: 1,
    });
    const winners = Array.from({ length: pairs }, (_, pair) =>
      (planes[2 * pair] as Term[]).map((a, at) => rowOf([a, 1], [excess(pair, at), 1])),
    );
    const rest = planes.slice(2 * pairs).map((plane) => plane.map((a) => rowOf([a, 1])));
    nodes.push(
      affineNode({
        input: `${name}/operands`,
        output: name,
        inputCount: before + pairs * size,
        channelSize,
        rows: [...winners, ...rest].flat(),
      }),
    );
    input = name;
    planes = Array.from({ length: pairs + rest.length }, (_, plane) =>
      Array.from({ length: size }, (_, at) => ({ index: plane * size + at, sign: 1 as const })),
    );
    inputCount = planes.length * size;
  }
  const rows = (planes[0] ?? []).map((term) => rowOf([term, sign]));
  return [...nodes, affineNode({ input, output, inputCount, channelSize, rows })];
}

function rowOf(...terms: [Term, 1 | -1][]): {
  indices: number[];
  weights: number[];
  bias: number;
} {
  const row = { indices: [] as number[], weights: [] as number[], bias: 0 };
  for (const [term, factor] of terms) {
    if ("constant" in term) {
      row.bias += factor * term.constant;
    } else {
      row.indices.push(term.index);
      row.weights.push(factor * term.sign);
    }
  }
  return row;
}
