import { elementCount } from "@haca/model-runtime/integerModel";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import { argMaxNode } from "./argMax.ts";
import { finalOf, labelOperand, readClasses, requireNoTransform } from "./classical.ts";
import type { AffineRow, GraphNode, Operator, ValueOperand } from "./kind.ts";
import { leavesNode, type Threshold } from "./leaves.ts";
import {
  listAttribute,
  numberAttribute,
  requireValue,
  stringsAttribute,
  textAttribute,
  unsupported,
} from "./operands.ts";

/** A way from the root to a leaf: the thresholds that must hold (1) or must not (-1). */
type Leaf = { tree: number; id: number; conditions: { threshold: number; holds: boolean }[] };

type Forest = { thresholds: Threshold[]; leaves: Leaf[] };

/** Paths are followed to this depth; deeper trees, and cycles, are refused. */
const MAXIMUM_DEPTH = 64;

/** Leaves of a forest; more are refused before anything of that size is built. */
const MAXIMUM_LEAVES = 1 << 17;

/** ai.onnx.ml.TreeEnsembleRegressor. */
export const treeRegressor: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    requireNoTransform(node);
    const forest = readForest(node, x);
    const targets = numberAttribute(node, "n_targets", 1);
    const aggregate = textAttribute(node, "aggregate_function", "SUM");
    if (aggregate !== "SUM" && aggregate !== "AVERAGE") {
      throw unsupported({ node, why: `aggregate_function ${aggregate} is not supported` });
    }
    const trees = new Set(forest.leaves.map(({ tree }) => tree)).size;
    const factor = aggregate === "AVERAGE" ? 1 / trees : 1;
    const sums = sumLeaves({ node, forest, prefix: "target", outputs: targets, factor });
    return {
      operand: { kind: "value", value: output, shape: [1, targets] },
      nodes: forestNodes({ x, forest, rows: sums, output, values: output }),
    };
  },
};

/** ai.onnx.ml.TreeEnsembleClassifier: the class with the greatest sum of leaves, and the sums. */
export const treeClassifier: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const forest = readForest(node, x);
    const { count, names } = readClasses(node);
    const scores = node.outputs[1] || `${output}/scores`;
    const weights = listAttribute(node, "class_weights", []);
    const isBinary = count === 2 && new Set(listAttribute(node, "class_ids", [])).size === 1;
    const sums = sumLeaves({
      node,
      forest,
      prefix: "class",
      outputs: isBinary ? 1 : count,
      factor: 1,
    });
    const final = finalOf(node);
    if (isBinary) {
      // one sum for two classes: shares, of which the other is the rest, or scores around 0, as ONNX Runtime has them
      const [sum] = sums as [AffineRow];
      const isShare = weights.every((weight) => weight >= 0);
      const opposite = { ...sum, weights: sum.weights.map((w) => -w), bias: -sum.bias };
      const rest = isShare ? { ...opposite, bias: 1 - sum.bias } : opposite;
      sums.splice(0, 1, rest, sum);
    }
    return {
      operand: labelOperand({ output, names }),
      further: [{ kind: "value", value: scores, shape: [1, count], ...final }],
      nodes: [
        ...forestNodes({ x, forest, rows: sums, output, values: scores }),
        argMaxNode({ input: scores, output }),
      ],
    };
  },
};

/** Leaves, and weighted sums of them. */
function forestNodes(parameters: {
  x: ValueOperand;
  forest: Forest;
  rows: AffineRow[];
  output: string;
  values: string;
}): GraphNode[] {
  const { x, forest, rows, output, values } = parameters;
  const { thresholds, leaves } = forest;
  const paths = leaves.map(({ conditions }) =>
    conditions.map(({ threshold, holds }) => (holds ? threshold + 1 : -(threshold + 1))),
  );
  return [
    leavesNode({ input: x.value, output: `${output}/reached`, thresholds, paths }),
    affineNode({ input: `${output}/reached`, output: values, inputCount: leaves.length, rows }),
  ];
}

/** The rows that sum leaves with their weights, an output each. */
function sumLeaves(parameters: {
  node: OnnxNode;
  forest: Forest;
  prefix: "target" | "class";
  outputs: number;
  factor: number;
}): AffineRow[] {
  const { node, forest, prefix, outputs, factor } = parameters;
  const list = (name: string) => listAttribute(node, `${prefix}_${name}`, []);
  const [trees, ids, weights] = [list("treeids"), list("nodeids"), list("weights")];
  const targets = outputs === 1 ? trees.map(() => 0) : list("ids");
  const base = listAttribute(node, "base_values", []);
  const positions = new Map(forest.leaves.map(({ tree, id }, index) => [`${tree}/${id}`, index]));
  const rows = Array.from({ length: outputs }, (_, index): AffineRow => {
    return { indices: [], weights: [], bias: base[index] ?? 0 };
  });
  for (const [at, tree] of trees.entries()) {
    const row = rows[targets[at] as number];
    const position = positions.get(`${tree}/${ids[at]}`);
    if (row === undefined) throw unsupported({ node, why: `${prefix} ${targets[at]} is unknown` });
    // a weight at an inner node, or at one that nothing leads to, is never added
    if (position === undefined) continue;
    row.indices.push(position);
    row.weights.push((weights[at] as number) * factor);
  }
  return rows;
}

function readForest(node: OnnxNode, x: ValueOperand): Forest {
  const list = (name: string) => listAttribute(node, `nodes_${name}`, []);
  const modes = stringsAttribute(node, "nodes_modes") ?? [];
  const [trees, ids, features] = [list("treeids"), list("nodeids"), list("featureids")];
  const [values, yes, no] = [list("values"), list("truenodeids"), list("falsenodeids")];
  const size = trees.length;
  if ([ids, features, values, yes, no, modes].some(({ length }) => length !== size)) {
    throw unsupported({ node, why: "the lists of its nodes have different lengths" });
  }
  const places = new Map(trees.map((tree, at) => [`${tree}/${ids[at]}`, at]));
  const thresholds: Threshold[] = [];
  const known = new Map<string, number>();
  const thresholdAt = (at: number): { threshold: number; holds: boolean } => {
    const mode = modes[at];
    const isStrict = mode === "BRANCH_LEQ" || mode === "BRANCH_GT";
    if (!isStrict && mode !== "BRANCH_LT" && mode !== "BRANCH_GTE") {
      throw unsupported({ node, why: `branches of mode ${mode} are not supported` });
    }
    const feature = features[at] as number;
    const value = values[at] as number;
    if (!(feature >= 0 && feature < elementCount(x.shape)) || !Number.isFinite(value)) {
      throw unsupported({ node, why: `it compares feature ${feature} with ${value}` });
    }
    const key = `${feature}/${value}/${isStrict}`;
    const threshold = known.get(key) ?? thresholds.length;
    if (threshold === thresholds.length) thresholds.push({ feature, at: value, isStrict });
    known.set(key, threshold);
    return { threshold, holds: mode === "BRANCH_GT" || mode === "BRANCH_GTE" };
  };
  const leaves: Leaf[] = [];
  const walk = (at: number, conditions: Leaf["conditions"]): void => {
    const tree = trees[at] as number;
    if (conditions.length > MAXIMUM_DEPTH || leaves.length >= MAXIMUM_LEAVES) {
      throw unsupported({ node, why: `tree ${tree} is too deep, too large, or has a cycle` });
    }
    if (modes[at] === "LEAF") {
      leaves.push({ tree, id: ids[at] as number, conditions });
      return;
    }
    const { threshold, holds } = thresholdAt(at);
    for (const [id, result] of [
      [yes[at], holds],
      [no[at], !holds],
    ] as const) {
      const next = places.get(`${tree}/${id}`);
      if (next === undefined) throw unsupported({ node, why: `tree ${tree} has no node ${id}` });
      // what the way so far decides is not asked again
      const before = conditions.find((condition) => condition.threshold === threshold);
      if (before !== undefined && before.holds !== result) continue;
      walk(next, before === undefined ? [...conditions, { threshold, holds: result }] : conditions);
    }
  };
  const children = new Set<number>();
  for (const [at, tree] of trees.entries()) {
    if (modes[at] === "LEAF") continue;
    for (const id of [yes[at], no[at]]) children.add(places.get(`${tree}/${id}`) ?? -1);
  }
  for (const at of trees.keys()) if (!children.has(at)) walk(at, []);
  if (leaves.length === 0) throw unsupported({ node, why: "its trees have no leaf" });
  return { thresholds, leaves };
}
