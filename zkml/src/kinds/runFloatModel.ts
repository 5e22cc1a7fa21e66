import { elementCount } from "@haca/model-runtime/integerModel";
import { BaseError } from "@haca/protocol/baseError";
import type { IrGraph, IrNode } from "./irGraph.ts";

/** Runs the model in double precision. Returns every value of the graph by name. */
export function runFloatModel(parameters: {
  graph: IrGraph;
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
    values.set(node.output, evaluate(node, values.get(node.input) as number[]));
  }
  return values;
}

function evaluate(node: IrNode, x: readonly number[]): number[] {
  switch (node.kind) {
    case "affine":
      return node.rows.map(({ indices, weights, bias }) => {
        let sum = bias;
        for (let i = 0; i < indices.length; i++) {
          sum += (weights[i] as number) * (x[indices[i] as number] as number);
        }
        return sum;
      });
    case "relu":
      return x.map((value) => Math.max(0, value));
    case "argMax":
      return [x.indexOf(Math.max(...x))];
  }
}
