import { elementCount } from "@haca/model-runtime/integerModel";
import { BaseError } from "@haca/protocol/baseError";
import { affineNode } from "./affine.ts";
import type { AffineMap, GraphNode } from "./kind.ts";

/**
 * The compiler's view of a model: one input, values that are flat row-major vectors, nodes that compute one value from
 * another. Reshapes are gone (order does not change), constants are folded, the batch dimension is 1.
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
export type GraphOutput = GraphValue & { value: string };

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
    values.set(node.output, node.compute(values.get(node.input) as number[]));
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
      needed.add(node.input);
      kept.push(node);
    }
  }
  return kept.toReversed();
}

/**
 * Merges an affine node that treats every element on its own (bias, batch normalisation) into the affine node
 * before it, where nothing else reads that one's output: MatMul + Add becomes one layer.
 */
export function foldAffine(parameters: {
  nodes: GraphNode[];
  outputs: GraphOutput[];
}): GraphNode[] {
  const { nodes, outputs } = parameters;
  const readers = new Map<string, number>();
  for (const value of [...nodes.map(({ input }) => input), ...outputs.map(({ value }) => value)]) {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const folded: GraphNode[] = [];
  for (const node of nodes) {
    const at = folded.findIndex(({ output }) => output === node.input);
    const before = folded[at];
    if (
      node.affine !== undefined &&
      before?.affine !== undefined &&
      readers.get(node.input) === 1 &&
      node.affine.rows.every(({ indices }) => indices.length === 1)
    ) {
      const affine = compose(before.affine, node.affine);
      folded[at] = affineNode({ input: before.input, output: node.output, ...affine });
    } else {
      folded.push(node);
    }
  }
  return folded;
}

/** outer(inner(x)) for an outer map with one weight per row. */
function compose(inner: AffineMap, outer: AffineMap): AffineMap {
  return {
    inputCount: inner.inputCount,
    rows: outer.rows.map(({ indices, weights, bias }) => {
      const row = inner.rows[indices[0] as number] as AffineMap["rows"][number];
      const factor = weights[0] as number;
      return {
        indices: row.indices,
        weights: row.weights.map((weight) => weight * factor),
        bias: row.bias * factor + bias,
      };
    }),
  };
}
