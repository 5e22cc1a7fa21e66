import {
  type AttributeValue,
  OnnxError,
  type OnnxGraph,
  type OnnxNode,
  type ValueInfo,
} from "./onnxGraph.ts";
import {
  ATTRIBUTE_FLOAT,
  ATTRIBUTE_FLOATS,
  ATTRIBUTE_INT,
  ATTRIBUTE_INTS,
  ATTRIBUTE_STRING,
  ATTRIBUTE_TENSOR,
  onnxModelType,
} from "./onnxSchema.ts";
import { readTensor, type TensorMessage } from "./readTensor.ts";

/** Larger files are refused before they are decoded. */
const MAXIMUM_BYTES = 512 * 1024 * 1024;

/** Before this version Add and others broadcast by an attribute. */
const MINIMUM_OPSET = 7;

type AttributeMessage = {
  name: string;
  type: number;
  f: number;
  i: number;
  s: Uint8Array;
  t: TensorMessage | null;
  floats: number[];
  ints: number[];
};
type NodeMessage = {
  name: string;
  opType: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: AttributeMessage[];
};
type ValueInfoMessage = {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: { dimValue: number; dimParam: string }[] } | null;
    } | null;
  } | null;
};
/** An absent message is null, an absent scalar its default. */
type ModelMessage = {
  opsetImport: { domain: string; version: number }[];
  graph: {
    name: string;
    node: NodeMessage[];
    initializer: TensorMessage[];
    sparseInitializer: unknown[];
    input: ValueInfoMessage[];
    output: ValueInfoMessage[];
  } | null;
};

/**
 * Reads an ONNX file. Checks the file itself; what its operators mean is for `buildGraph`.
 * Throws `onnx.malformed`, `onnx.tooLarge`, `onnx.tensorInvalid`.
 */
export function parseOnnx(bytes: Uint8Array): OnnxGraph {
  if (bytes.length > MAXIMUM_BYTES) {
    throw new OnnxError({
      reason: "tooLarge",
      message: `the file has ${bytes.length} bytes, at most ${MAXIMUM_BYTES} are read`,
    });
  }
  const { graph, opsetImport } = decode(bytes);
  if (graph === null) {
    throw new OnnxError({ reason: "malformed", message: "not an ONNX model: it has no graph" });
  }
  if (graph.sparseInitializer.length > 0) {
    throw new OnnxError({ reason: "tensorInvalid", message: "sparse initialisers are not read" });
  }
  const opset = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
  if (opset === undefined || opset < MINIMUM_OPSET) {
    throw new OnnxError({
      reason: "malformed",
      message: `the model's operator set is ${opset ?? "missing"}, expected ${MINIMUM_OPSET} or later`,
    });
  }
  const initialisers = new Map(graph.initializer.map((t) => [t.name, readTensor(t)]));
  return {
    name: graph.name,
    opset,
    nodes: graph.node.map(readNode),
    initialisers,
    inputs: graph.input.filter(({ name }) => !initialisers.has(name)).map(readValueInfo),
    outputs: graph.output.map(readValueInfo),
  };
}

function decode(bytes: Uint8Array): ModelMessage {
  try {
    const message = onnxModelType.decode(bytes);
    return onnxModelType.toObject(message, { longs: Number, defaults: true }) as ModelMessage;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OnnxError({
      reason: "malformed",
      message: `not an ONNX model, or cut short: ${reason}`,
      cause,
    });
  }
}

function readNode(message: NodeMessage, index: number): OnnxNode {
  const name = message.name || `${message.opType} #${index}`;
  if (message.domain !== "" && message.domain !== "ai.onnx") {
    throw new OnnxError({
      reason: "unsupportedOperator",
      message: `node ${name}: operator ${message.domain}.${message.opType} is not supported`,
      details: { node: name, operator: `${message.domain}.${message.opType}` },
    });
  }
  return {
    name,
    operator: message.opType,
    inputs: message.input,
    outputs: message.output,
    attributes: new Map(message.attribute.map((a) => [a.name, readAttribute(a, name)])),
  };
}

function readAttribute(message: AttributeMessage, node: string): AttributeValue {
  switch (message.type) {
    case ATTRIBUTE_FLOAT:
      return message.f;
    case ATTRIBUTE_INT:
      return message.i;
    case ATTRIBUTE_STRING:
      return Buffer.from(message.s).toString("utf8");
    case ATTRIBUTE_FLOATS:
      return message.floats;
    case ATTRIBUTE_INTS:
      return message.ints;
    case ATTRIBUTE_TENSOR:
      if (message.t !== null) {
        return readTensor(message.t);
      }
  }
  throw new OnnxError({
    reason: "unsupportedAttribute",
    message: `node ${node}: attribute ${message.name} has type ${message.type}, which is not read`,
  });
}

function readValueInfo(message: ValueInfoMessage): ValueInfo {
  const tensor = message.type?.tensorType;
  if (tensor === null || tensor === undefined) {
    throw new OnnxError({ reason: "malformed", message: `${message.name} is not a tensor` });
  }
  const dimensions = tensor.shape?.dim ?? [];
  return {
    name: message.name,
    elementType: tensor.elemType,
    // a size of 0 is how the format leaves a dimension open without naming it
    dimensions: dimensions.map(({ dimValue }) => (dimValue > 0 ? dimValue : undefined)),
  };
}
