import type { AffineNode, IrNode, IrOutput } from "./irGraph.ts";

/**
 * Merges an affine node that treats every element on its own (bias, batch normalisation) into the affine node
 * before it, where nothing else reads that one's output: MatMul + Add becomes one layer.
 */
export function foldAffine(parameters: { nodes: IrNode[]; outputs: IrOutput[] }): IrNode[] {
  const { nodes, outputs } = parameters;
  const readers = new Map<string, number>();
  for (const value of [...nodes.map(({ input }) => input), ...outputs.map(({ value }) => value)]) {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const folded: IrNode[] = [];
  for (const node of nodes) {
    const at = folded.findIndex(({ output }) => output === node.input);
    const before = folded[at];
    if (
      node.kind === "affine" &&
      before?.kind === "affine" &&
      readers.get(node.input) === 1 &&
      node.rows.every(({ indices }) => indices.length === 1)
    ) {
      folded[at] = compose(before, node);
    } else {
      folded.push(node);
    }
  }
  return folded;
}

/** outer(inner(x)) for an outer node with one weight per row. */
function compose(inner: AffineNode, outer: AffineNode): AffineNode {
  return {
    ...inner,
    output: outer.output,
    rows: outer.rows.map(({ indices, weights, bias }) => {
      const row = inner.rows[indices[0] as number] as AffineNode["rows"][number];
      const factor = weights[0] as number;
      return {
        indices: row.indices,
        weights: row.weights.map((weight) => weight * factor),
        bias: row.bias * factor + bias,
      };
    }),
  };
}
