import { elementCount } from "@haca/model-runtime/integerModel";
import { BaseError } from "@haca/protocol/baseError";
import { affineNode } from "./affine.ts";
import type { AffineMap, GraphNode } from "./kind.ts";

/**
 * The compiler's view of a model: one input, values that are flat row-major vectors, nodes that compute one value from
 * others. Reshapes are gone (order does not change), constants are folded, the batch dimension is 1.
 */
export type Graph = {
  name: string;
  input: GraphValue;
  /** in the order of the ONNX file */
  outputs: GraphOutput[];
  /** in an order in which every node comes after those it reads */
  nodes: GraphNode[];
  /** numbers in the ONNX initialisers that the graph uses */
  parameters: number;
};

/** A value; `shape` has no batch dimension. */
export type GraphValue = { name: string; shape: number[] };

/** An output of the model and the value that it shows. */
export type GraphOutput = GraphValue & {
  value: string;
  /** the final activation that was left out: the output shows what it reads */
  stripped?: string;
  /** names of the classes, where the output is the index of one */
  classes?: string[];
};

/** Runs the model in double precision. Returns every value of the graph by name. */
export function runFloatModel(parameters: {
  graph: Graph;
  input: readonly number[];
}): Map<string, number[]> {
  const { graph, input } = parameters;
  const expected = elementCount(graph.input.shape);
  if (input.length !== expected) {
    throw new BaseError({
      code: "input.wrongLength",
      message: `${graph.input.name} has ${expected} elements, got ${input.length}`,
    });
  }
  const values = new Map<string, number[]>([[graph.input.name, [...input]]]);
  for (const node of graph.nodes) {
    const [only = "", ...rest] = node.inputs;
    const first = values.get(only) as number[];
    const input = rest.length === 0 ? first : node.inputs.flatMap((name) => values.get(name) ?? []);
    values.set(node.output, node.compute(input));
  }
  return values;
}

/** Leaves out the nodes that no output depends on. */
export function dropUnused(parameters: {
  nodes: GraphNode[];
  outputs: GraphOutput[];
}): GraphNode[] {
  const needed = new Set(parameters.outputs.map(({ value }) => value));
  const kept: GraphNode[] = [];
  for (const node of parameters.nodes.toReversed()) {
    if (needed.has(node.output)) {
      for (const input of node.inputs) needed.add(input);
      kept.push(node);
    }
  }
  return kept.toReversed();
}

/**
 * Merges affine nodes: one that treats every element on its own (bias, batch normalisation) into the affine node before
 * it, where nothing else reads that one's output (MatMul + Add becomes one layer); and one that only picks elements
 * (transpose, slice), or that joins the sides of a bend, into every affine node that reads it; and what is compared roughly
 * into the sums that it is.
 */
export function foldAffine(parameters: {
  nodes: GraphNode[];
  outputs: GraphOutput[];
}): GraphNode[] {
  const { nodes, outputs } = parameters;
  const readers = new Map<string, number>();
  for (const value of [
    ...nodes.flatMap(({ inputs }) => inputs),
    ...outputs.map(({ value }) => value),
  ]) {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const folded = new Map<string, GraphNode>();
  for (const node of nodes) {
    const [input = ""] = node.inputs;
    const before = folded.get(input);
    const isOnly = readers.get(input) === 1;
    const canMerge =
      node.affine !== undefined &&
      before?.affine !== undefined &&
      ((isOnly && isSparse(node.affine)) ||
        node.affine.rough !== undefined ||
        isSparse(before.affine) ||
        before.affine.isBend === true);
    if (canMerge && node.affine !== undefined && before?.affine !== undefined) {
      const affine = compose(before.affine, node.affine);
      if (isOnly) folded.delete(input);
      else readers.set(input, (readers.get(input) ?? 1) - 1);
      const [source = ""] = before.inputs;
      if (!isOnly) readers.set(source, (readers.get(source) ?? 0) + 1);
      folded.set(node.output, affineNode({ input: source, output: node.output, ...affine }));
    } else {
      folded.set(node.output, node);
    }
  }
  return [...folded.values()];
}

/** Whether every row reads one element at most. */
function isSparse(affine: AffineMap): boolean {
  return affine.rows.every(({ indices }) => indices.length <= 1);
}

/** outer(inner(x)), where the rows of one of them have few weights. */
function compose(inner: AffineMap, outer: AffineMap): AffineMap {
  const channelSize = outer.channelSize ?? inner.channelSize;
  return {
    inputCount: inner.inputCount,
    ...(channelSize === undefined ? {} : { channelSize }),
    ...(inner.isBend === true && isSparse(outer) && outer.rough === undefined
      ? { isBend: true }
      : {}),
    ...(outer.rough === undefined ? {} : { rough: outer.rough }),
    rows: outer.rows.map(({ indices, weights, bias }) => {
      const terms = new Map<number, number>();
      let sum = bias;
      for (const [position, index] of indices.entries()) {
        const row = inner.rows[index] as AffineMap["rows"][number];
        const factor = weights[position] as number;
        for (const [at, source] of row.indices.entries()) {
          const weight = factor * (row.weights[at] as number);
          terms.set(source, (terms.get(source) ?? 0) + weight);
        }
        sum += row.bias * factor;
      }
      return { indices: [...terms.keys()], weights: [...terms.values()], bias: sum };
    }),
  };
}
