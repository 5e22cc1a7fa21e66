import { elementCount } from "@haca/model-runtime/integerModel";
import {
  type ConstantTensor,
  OnnxError,
  type OnnxGraph,
  type OnnxNode,
  type ValueInfo,
} from "../onnx/onnxGraph.ts";
import { ONNX_FLOAT } from "../onnx/onnxSchema.ts";
import { dropUnused, foldAffine, type Graph, type GraphOutput, type GraphValue } from "./graph.ts";
import { hintFor } from "./hints.ts";
import type { GraphNode, Lowered, Operand } from "./kind.ts";
import { OPERATORS } from "./kinds.ts";
import { poolFirst } from "./poolFirst.ts";

/** Models with more elements in one value are refused before anything of that size is allocated. */
const MAXIMUM_ELEMENTS = 1 << 24;

/** Something that stands in the way of a proof. */
export type Obstacle = {
  /** the node, where it is one */
  node?: string;
  operator?: string;
  why: string;
  code: string;
};

export type GraphOptions = {
  /** leave out a final Softmax, LogSoftmax or other monotonic activation, and show the scores that it reads */
  rawScores?: boolean;
};

/**
 * Turns an ONNX graph into the compiler's own: infers shapes, folds constants, drops what nothing reads.
 * Throws `onnx.unsupportedOperator` (naming node and operator), `onnx.shapeInvalid`, `onnx.valueMissing`,
 * `onnx.inputUnsupported`.
 */
export function buildGraph(onnx: OnnxGraph, options: GraphOptions = {}): Graph {
  return build(onnx, options, (error) => {
    throw error;
  });
}

/**
 * Everything that stands in the way of a graph, in the order of the file, not the first only: what reads something that
 * could not be read is looked at as far as that goes. Throws nothing that is the model's fault.
 */
export function findObstacles(onnx: OnnxGraph, options: GraphOptions = {}): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const record = (error: OnnxError): void => {
    const { node, operator } = (error.details ?? {}) as { node?: string; operator?: string };
    obstacles.push({
      ...(node === undefined ? {} : { node }),
      ...(operator === undefined ? {} : { operator }),
      why: error.message,
      code: error.code,
    });
  };
  try {
    build(onnx, options, record);
  } catch (error) {
    if (!(error instanceof OnnxError)) throw error;
    record(error);
  }
  return obstacles;
}

/** An operand of a node that could not be read: undefined. */
type Operands = Map<string, Operand | undefined>;

function build(
  onnx: OnnxGraph,
  options: GraphOptions,
  onObstacle: (error: OnnxError) => void,
): Graph {
  const attempt = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error;
      onObstacle(error);
      return undefined;
    }
  };
  const operands: Operands = new Map();
  for (const { name } of onnx.inputs) operands.set(name, undefined);
  const input = attempt(() => readInput(onnx.inputs));
  if (input !== undefined) {
    operands.set(input.name, { kind: "value", value: input.name, shape: [1, ...input.shape] });
  }
  for (const [name, tensor] of onnx.initialisers) {
    operands.set(name, { kind: "constant", tensor });
  }
  const nodes: GraphNode[] = [];
  for (const node of poolFirst(onnx)) {
    const lowered = attempt(() => lowerNode({ node, operands, onnx }));
    for (const [index, output] of node.outputs.entries()) {
      if (output === "") continue;
      operands.set(output, index === 0 ? lowered?.operand : lowered?.further?.[index - 1]);
    }
    nodes.push(...(lowered?.nodes ?? []), ...(lowered?.node === undefined ? [] : [lowered.node]));
  }
  const outputs: GraphOutput[] = [];
  for (const name of onnx.outputs) {
    const output = attempt(() => readOutput({ name, operands, options }));
    if (output !== undefined) outputs.push(output);
  }
  if (onnx.outputs.length === 0) {
    onObstacle(new OnnxError({ reason: "malformed", message: "the graph has no output" }));
  }
  return {
    name: onnx.name,
    input: input ?? { name: "", shape: [] },
    outputs,
    nodes: dropUnused({ nodes: foldAffine({ nodes, outputs }), outputs }),
    parameters: countParameters(onnx.nodes, onnx.initialisers),
  };
}

/** What a node becomes; nothing where it reads something that could not be read, which is another's obstacle. */
function lowerNode(parameters: {
  node: OnnxNode;
  operands: Operands;
  onnx: OnnxGraph;
}): Lowered | undefined {
  const { node, operands, onnx } = parameters;
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined) {
    throw new OnnxError({
      reason: "unsupportedOperator",
      message: `node ${node.name}: operator ${node.operator} is not supported${hintFor(node.operator)}`,
      details: { node: node.name, operator: node.operator },
    });
  }
  const inputs: (Operand | undefined)[] = [];
  for (const name of node.inputs) {
    if (name !== "" && !operands.has(name)) throw missing({ node, name, onnx });
    const operand = operands.get(name);
    if (name !== "" && operand === undefined) return undefined;
    inputs.push(operand);
  }
  const [output = ""] = node.outputs;
  const again = node.outputs.find((name) => name !== "" && operands.has(name));
  if (output === "" || again !== undefined) {
    throw new OnnxError({
      reason: "malformed",
      message: `node ${node.name}: output ${JSON.stringify(again ?? output)} is empty or defined twice`,
      details: { node: node.name, operator: node.operator },
    });
  }
  const final = inputs.map((operand) => (operand?.kind === "value" ? operand.final : undefined));
  const first = final.find((value) => value !== undefined);
  if (first !== undefined && operator.afterFinal === undefined) {
    throw new OnnxError({
      reason: "unsupportedOperator",
      message: `node ${first.node}: operator ${first.operator} is supported at the end of a model only (with --raw-scores), node ${node.name} reads it`,
      details: { node: first.node, operator: first.operator },
    });
  }
  const lowered = operator.lower({ node, operands: inputs, output, opset: onnx.opset });
  const results = [lowered.operand, ...(lowered.further ?? [])];
  for (const result of results) {
    if (result.kind !== "value") continue;
    if (first !== undefined && operator.afterFinal === "stays") result.final = first;
    if (elementCount(result.shape) > MAXIMUM_ELEMENTS) {
      throw new OnnxError({
        reason: "tooLarge",
        message: `node ${node.name}: [${result.shape}] has more than ${MAXIMUM_ELEMENTS} elements`,
        details: { node: node.name, operator: node.operator },
      });
    }
  }
  return lowered;
}

function missing(parameters: { node: OnnxNode; name: string; onnx: OnnxGraph }): OnnxError {
  const { node, name, onnx } = parameters;
  const later = onnx.nodes.find(({ outputs }) => outputs.includes(name));
  const why =
    later === undefined
      ? "is neither an initialiser, the model's input, nor computed before"
      : `is computed by node ${later.name}, which comes later or reads this one: nodes must be in order, without a cycle`;
  return new OnnxError({
    reason: "valueMissing",
    message: `node ${node.name}: input ${JSON.stringify(name)} ${why}`,
    details: { node: node.name, operator: node.operator, value: name },
  });
}

function readInput(inputs: readonly ValueInfo[]): GraphValue {
  const fail = (message: string) => new OnnxError({ reason: "inputUnsupported", message });
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name).join(", ");
    throw fail(`the model must have exactly one input, it has ${inputs.length}: ${names}`);
  }
  const { name, elementType, dimensions } = input;
  if (elementType !== ONNX_FLOAT) {
    throw fail(`input ${name} has element type ${elementType}, only float (1) is supported`);
  }
  const [batch, ...rest] = dimensions;
  const shape = rest.filter((size) => size !== undefined);
  if (rest.length === 0 || shape.length !== rest.length) {
    throw fail(
      `input ${name}: shape [${dimensions.map((size) => size ?? "?")}] must be a batch dimension and fixed sizes`,
    );
  }
  if (batch !== undefined && batch !== 1) {
    throw fail(`input ${name}: the batch dimension is fixed at ${batch}, expected 1 or open`);
  }
  if (elementCount(shape) > MAXIMUM_ELEMENTS) {
    throw fail(`input ${name}: [${shape}] has more than ${MAXIMUM_ELEMENTS} elements`);
  }
  return { name, shape };
}

function readOutput(parameters: {
  name: string;
  operands: Operands;
  options: GraphOptions;
}): GraphOutput | undefined {
  const { name, operands, options } = parameters;
  if (!operands.has(name)) {
    throw new OnnxError({
      reason: "valueMissing",
      message: `output ${JSON.stringify(name)} is not computed by any node`,
    });
  }
  const operand = operands.get(name);
  if (operand === undefined) return undefined;
  if (operand.kind === "constant") {
    throw new OnnxError({
      reason: "shapeInvalid",
      message: `output ${JSON.stringify(name)} does not depend on the input`,
    });
  }
  const { shape, value, final, classes } = operand;
  if (final !== undefined && options.rawScores !== true) {
    const { node, operator } = final;
    throw new OnnxError({
      reason: "unsupportedOperator",
      message: `node ${node}: operator ${operator} is not supported; it ends the model, and changes no order: --raw-scores shows the scores before it as output ${JSON.stringify(name)}`,
      details: { node, operator },
    });
  }
  return {
    name,
    // the batch dimension is left out where there is one: a model may end in a view that drops it
    shape: shape[0] === 1 ? shape.slice(1) : shape,
    value,
    ...(final === undefined ? {} : { stripped: final.operator }),
    ...(classes === undefined ? {} : { classes }),
  };
}

function countParameters(
  nodes: readonly OnnxNode[],
  initialisers: ReadonlyMap<string, ConstantTensor>,
): number {
  const used = new Set(
    nodes.flatMap(({ operator, inputs }) => {
      const { settings = [] } = OPERATORS.get(operator) ?? {};
      return inputs.filter((_, index) => !settings.includes(index));
    }),
  );
  let count = 0;
  for (const [name, tensor] of initialisers) {
    count += used.has(name) ? tensor.data.length : 0;
  }
  return count;
}
