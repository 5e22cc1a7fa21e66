import type { OnnxGraph, OnnxNode } from "../onnx/onnxGraph.ts";

/** Activations that never fall, by the attribute that decides it, where one does. */
const RISING: ReadonlyMap<string, string | undefined> = new Map([
  ["Relu", undefined],
  ["Clip", undefined],
  ["Sigmoid", undefined],
  ["Tanh", undefined],
  ["Softplus", undefined],
  ["LeakyRelu", "alpha"],
  ["Elu", "alpha"],
  ["HardSigmoid", "alpha"],
]);

/**
 * A MaxPool over an activation, in the other order: `max(f(x), f(y)) = f(max(x, y))` for every f that never falls. The
 * activation, whose digits are most of a circuit, is then computed once for a window and not for each of its elements. Only
 * where no element is in two windows: there the comparisons before it would be more, and as wide as sums.
 */
export function poolFirst(onnx: OnnxGraph): OnnxNode[] {
  const readers = new Map<string, number>();
  for (const name of [...onnx.nodes.flatMap(({ inputs }) => inputs), ...onnx.outputs]) {
    readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const before = new Map(
    onnx.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const nodes = new Set<OnnxNode>();
  for (const node of onnx.nodes) {
    nodes.add(node);
    const [middle = ""] = node.inputs;
    const activation = before.get(middle);
    const [input, ...settings] = activation?.inputs ?? [];
    if (
      activation === undefined ||
      input === undefined ||
      !(nodes.has(activation) && readers.get(middle) === 1 && isRising(activation)) ||
      !(node.operator === "MaxPool" && node.outputs.length === 1 && isDisjoint(node))
    ) {
      continue;
    }
    nodes.delete(activation);
    nodes.delete(node);
    nodes.add({ ...node, inputs: [input], outputs: [middle] });
    nodes.add({ ...activation, inputs: [middle, ...settings], outputs: node.outputs });
  }
  return [...nodes];
}

function isRising({ operator, attributes, outputs }: OnnxNode): boolean {
  const slope = attributes.get(RISING.get(operator) ?? "") ?? 0;
  return RISING.has(operator) && outputs.length === 1 && typeof slope === "number" && slope >= 0;
}

/** Whether no element is in two windows. */
function isDisjoint({ attributes }: OnnxNode): boolean {
  const kernel = attributes.get("kernel_shape");
  const strides = attributes.get("strides");
  return (
    Array.isArray(kernel) &&
    Array.isArray(strides) &&
    kernel.every((size, axis) => size <= (strides[axis] ?? 1))
  );
}
