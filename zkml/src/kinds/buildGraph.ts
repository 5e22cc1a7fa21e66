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
import type { GraphNode, Operand } from "./kind.ts";
import { OPERATORS } from "./kinds.ts";

/** Models with more elements in one value are refused before anything of that size is allocated. */
const MAXIMUM_ELEMENTS = 1 << 24;

/**
 * Turns an ONNX graph into the compiler's own: infers shapes, folds constants, drops what nothing reads.
 * Throws `onnx.unsupportedOperator` (naming node and operator), `onnx.shapeInvalid`, `onnx.valueMissing`,
 * `onnx.inputUnsupported`.
 */
export function buildGraph(onnx: OnnxGraph): Graph {
  const input = readInput(onnx.inputs);
  const operands = new Map<string, Operand>([
    [input.name, { kind: "value", value: input.name, shape: [1, ...input.shape] }],
  ]);
  for (const [name, tensor] of onnx.initialisers) {
    operands.set(name, { kind: "constant", tensor });
  }
  const nodes: GraphNode[] = [];
  for (const node of onnx.nodes) {
    const lowered = lowerNode({ node, operands });
    if (lowered !== undefined) {
      nodes.push(lowered);
    }
  }
  const outputs = onnx.outputs.map(({ name }) => readOutput({ name, operands }));
  if (outputs.length === 0) {
    throw new OnnxError({ reason: "malformed", message: "the graph has no output" });
  }
  return {
    name: onnx.name,
    input,
    outputs,
    nodes: dropUnused({ nodes: foldAffine({ nodes, outputs }), outputs }),
    parameters: countParameters(onnx.nodes, onnx.initialisers),
  };
}

function lowerNode(parameters: {
  node: OnnxNode;
  operands: Map<string, Operand>;
}): GraphNode | undefined {
  const { node, operands } = parameters;
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined) {
    throw new OnnxError({
      reason: "unsupportedOperator",
      message: `node ${node.name}: operator ${node.operator} is not supported (supported: ${[...OPERATORS.keys()].join(", ")})`,
      details: { node: node.name, operator: node.operator },
    });
  }
  const inputs = node.inputs.map((name) => {
    const operand = operands.get(name);
    if (operand === undefined && name !== "") {
      throw new OnnxError({
        reason: "valueMissing",
        message: `node ${node.name}: input ${JSON.stringify(name)} is neither an initialiser, the model's input, nor computed before`,
        details: { node: node.name, value: name },
      });
    }
    return operand;
  });
  const [output = ""] = node.outputs;
  if (output === "" || operands.has(output)) {
    throw new OnnxError({
      reason: "malformed",
      message: `node ${node.name}: output ${JSON.stringify(output)} is empty or defined twice`,
    });
  }
  const { operand, node: lowered } = operator.lower({ node, operands: inputs, output });
  if (operand.kind === "value" && elementCount(operand.shape) > MAXIMUM_ELEMENTS) {
    throw new OnnxError({
      reason: "tooLarge",
      message: `node ${node.name}: [${operand.shape}] has more than ${MAXIMUM_ELEMENTS} elements`,
    });
  }
  operands.set(output, operand);
  return lowered;
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

function readOutput(parameters: { name: string; operands: Map<string, Operand> }): GraphOutput {
  const { name, operands } = parameters;
  const operand = operands.get(name);
  if (operand === undefined) {
    throw new OnnxError({
      reason: "valueMissing",
      message: `output ${JSON.stringify(name)} is not computed by any node`,
    });
  }
  if (operand.kind === "constant") {
    throw new OnnxError({
      reason: "shapeInvalid",
      message: `output ${JSON.stringify(name)} does not depend on the input`,
    });
  }
  return { name, shape: operand.shape.slice(1), value: operand.value };
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
