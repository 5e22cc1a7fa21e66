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
  ATTRIBUTE_STRINGS,
  ATTRIBUTE_TENSOR,
  onnxModelType,
} from "./onnxSchema.ts";
import { EXTERNAL, type ExternalBytes, readTensor, type TensorMessage } from "./readTensor.ts";

/** Larger files are refused before they are decoded. */
export const MAXIMUM_BYTES = 512 * 1024 * 1024;

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
  strings: Uint8Array[];
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
 * Throws `onnx.malformed`, `onnx.tooLarge`, `onnx.tensorInvalid`, `onnx.externalData`.
 */
export function parseOnnx(
  bytes: Uint8Array,
  /** files of weights that the model names, by that name (`readOnnxFile`) */
  external: ReadonlyMap<string, Uint8Array> = new Map(),
): OnnxGraph {
  const { graph, opsetImport } = decode(bytes);
  if (graph === null) {
    throw new OnnxError({ reason: "malformed", message: "not an ONNX model: it has no graph" });
  }
  if (graph.sparseInitializer.length > 0) {
    throw new OnnxError({ reason: "tensorInvalid", message: "sparse initialisers are not read" });
  }
  const versionOf = (domain: string) => opsetImport.find((set) => set.domain === domain)?.version;
  const isClassical = versionOf("ai.onnx.ml") !== undefined;
  // a file that uses operators of ai.onnx.ml alone imports nothing else
  const opset = versionOf("") ?? versionOf("ai.onnx") ?? (isClassical ? MINIMUM_OPSET : undefined);
  if (opset === undefined || opset < MINIMUM_OPSET) {
    throw new OnnxError({
      reason: "malformed",
      message: `the model's operator set is ${opset ?? "missing"}, expected ${MINIMUM_OPSET} or later`,
    });
  }
  const read = (tensor: TensorMessage) => readTensor(tensor, externalBytes(external));
  const initialisers = new Map(graph.initializer.map((t) => [t.name, read(t)]));
  return {
    name: graph.name,
    opset,
    nodes: graph.node.map(readNode),
    initialisers,
    inputs: graph.input.filter(({ name }) => !initialisers.has(name)).map(readInput),
    outputs: graph.output.map(({ name }) => name),
  };
}

/** The files of weights that a model names, each with a tensor that names it. */
export function externalLocations(bytes: Uint8Array): Map<string, string> {
  const locations = new Map<string, string>();
  for (const { name, dataLocation, externalData } of decode(bytes).graph?.initializer ?? []) {
    if (dataLocation === EXTERNAL) {
      locations.set(externalData.find(({ key }) => key === "location")?.value ?? "", name);
    }
  }
  return locations;
}

function externalBytes(external: ReadonlyMap<string, Uint8Array>): ExternalBytes {
  return ({ tensor, entries }) => {
    const location = entries.get("location") ?? "";
    const fail = (why: string) =>
      new OnnxError({
        reason: "externalData",
        message: `tensor ${tensor}: external data ${JSON.stringify(location)} ${why}`,
      });
    const file = external.get(location);
    if (file === undefined) throw fail("was not given; keep the file of weights beside the model");
    const offset = Number(entries.get("offset") ?? 0);
    const length = Number(entries.get("length") ?? file.length - offset);
    const isPart = [offset, length].every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!isPart || offset + length > file.length) {
      throw fail(`has ${file.length} bytes, bytes ${offset} to ${offset + length} are asked for`);
    }
    return file.subarray(offset, offset + length);
  };
}

function decode(bytes: Uint8Array): ModelMessage {
  if (bytes.length > MAXIMUM_BYTES) {
    throw new OnnxError({
      reason: "tooLarge",
      message: `the file has ${bytes.length} bytes, at most ${MAXIMUM_BYTES} are read`,
    });
  }
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
  const isDefault = message.domain === "" || message.domain === "ai.onnx";
  const operator = isDefault ? message.opType : `${message.domain}.${message.opType}`;
  return {
    name: message.name || `${message.opType} #${index}`,
    operator,
    inputs: message.input,
    outputs: message.output,
    attributes: new Map(message.attribute.map((a) => [a.name, readAttribute(a)])),
  };
}

function readAttribute(message: AttributeMessage): AttributeValue {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
  switch (message.type) {
    case ATTRIBUTE_FLOAT:
      return message.f;
    case ATTRIBUTE_INT:
      return message.i;
    case ATTRIBUTE_STRING:
      return text(message.s);
    case ATTRIBUTE_FLOATS:
      return message.floats;
    case ATTRIBUTE_INTS:
      return message.ints;
    case ATTRIBUTE_STRINGS:
      return { strings: message.strings.map(text) };
    case ATTRIBUTE_TENSOR:
      return message.t === null ? { unread: message.type } : readTensor(message.t);
    default:
      return { unread: message.type };
  }
}

function readInput(message: ValueInfoMessage): ValueInfo {
  const tensor = message.type?.tensorType;
  if (tensor === null || tensor === undefined) {
    throw new OnnxError({
      reason: "inputUnsupported",
      message: `input ${message.name} is not a tensor`,
    });
  }
  const dimensions = tensor.shape?.dim ?? [];
  return {
    name: message.name,
    elementType: tensor.elemType,
    // a size of 0 is how the format leaves a dimension open without naming it
    dimensions: dimensions.map(({ dimValue }) => (dimValue > 0 ? dimValue : undefined)),
  };
}
