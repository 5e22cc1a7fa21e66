import { type ConstantTensor, OnnxError } from "./onnxGraph.ts";
import {
  ONNX_BOOL,
  ONNX_DOUBLE,
  ONNX_FLOAT,
  ONNX_FLOAT16,
  ONNX_INT8,
  ONNX_INT32,
  ONNX_INT64,
  ONNX_STRING,
  ONNX_UINT8,
} from "./onnxSchema.ts";
import { readHalf } from "./readHalf.ts";

/** `TensorProto` as protobufjs decodes it. */
export type TensorMessage = {
  name: string;
  dims: number[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: number[];
  stringData: Uint8Array[];
  doubleData: number[];
  rawData: Uint8Array;
  externalData: { key: string; value: string }[];
  dataLocation: number;
};

/** The bytes of a tensor that are in another file. */
export type ExternalBytes = (parameters: {
  tensor: string;
  entries: ReadonlyMap<string, string>;
}) => Uint8Array;

export const EXTERNAL = 1;

type Element = {
  size: number;
  /** reads an element of `raw_data`, which is little-endian */
  read: (view: DataView, at: number) => number;
  /** the field that holds the elements where there is no raw data */
  field: "floatData" | "int32Data" | "int64Data" | "doubleData";
  /** what an element of the field means */
  decode?: (value: number) => number;
};

const ELEMENTS: ReadonlyMap<number, Element> = new Map<number, Element>([
  [ONNX_FLOAT, { size: 4, read: (view, at) => view.getFloat32(at, true), field: "floatData" }],
  [ONNX_UINT8, { size: 1, read: (view, at) => view.getUint8(at), field: "int32Data" }],
  [ONNX_INT8, { size: 1, read: (view, at) => view.getInt8(at), field: "int32Data" }],
  [ONNX_INT32, { size: 4, read: (view, at) => view.getInt32(at, true), field: "int32Data" }],
  [
    ONNX_INT64,
    { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)), field: "int64Data" },
  ],
  [ONNX_BOOL, { size: 1, read: (view, at) => view.getUint8(at), field: "int32Data" }],
  [
    ONNX_FLOAT16,
    {
      size: 2,
      read: (view, at) => readHalf(view.getUint16(at, true)),
      field: "int32Data",
      decode: readHalf,
    },
  ],
  [ONNX_DOUBLE, { size: 8, read: (view, at) => view.getFloat64(at, true), field: "doubleData" }],
]);

/**
 * The values of a constant tensor. Refuses data that is missing or surplus (`onnx.tensorInvalid`). An element type
 * that is not read, and numbers that are not finite, are a `problem` of the tensor: they concern the node that uses it.
 */
export function readTensor(message: TensorMessage, external?: ExternalBytes): ConstantTensor {
  const name = message.name || "(unnamed)";
  const fail = (text: string) =>
    new OnnxError({ reason: "tensorInvalid", message: `tensor ${name}: ${text}` });

  if (message.dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw fail(`dimensions [${message.dims}] are not sizes`);
  }
  const element = ELEMENTS.get(message.dataType);
  if (element === undefined) {
    const isText = message.dataType === ONNX_STRING;
    const problem = `tensor ${name}: element type ${isText ? "string" : message.dataType} is not float, double, half or an integer`;
    const strings = message.stringData.map((bytes) => Buffer.from(bytes).toString("utf8"));
    const tensor = { shape: message.dims, data: new Float64Array(0), problem };
    return isText ? { ...tensor, strings } : tensor;
  }
  const count = message.dims.reduce((product, size) => product * size, 1);
  const data = readData({ message, element, external, fail });
  if (data.length !== count) {
    throw fail(`shape [${message.dims}] needs ${count} elements, the file has ${data.length}`);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  const tensor = { shape: message.dims, data, elementType: message.dataType };
  return bad === -1
    ? tensor
    : { ...tensor, problem: `tensor ${name}: element ${bad} is ${data[bad]}` };
}

function readData(parameters: {
  message: TensorMessage;
  element: Element;
  external: ExternalBytes | undefined;
  fail: (text: string) => OnnxError;
}): Float64Array {
  const { message, element, external, fail } = parameters;
  if (message.dataLocation === EXTERNAL) {
    if (external === undefined) {
      throw fail("its data is in another file; only nodes' own tensors inside the model are read");
    }
    const entries = new Map(message.externalData.map(({ key, value }) => [key, value]));
    return rawValues(external({ tensor: message.name, entries }), element, fail);
  }
  if (message.rawData.length > 0) {
    return rawValues(message.rawData, element, fail);
  }
  const listed = Float64Array.from(message[element.field]);
  return element.decode === undefined ? listed : listed.map(element.decode);
}

function rawValues(
  bytes: Uint8Array,
  element: Element,
  fail: (text: string) => OnnxError,
): Float64Array {
  if (bytes.length % element.size !== 0) {
    throw fail(`${bytes.length} bytes of raw data do not divide into elements of ${element.size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float64Array(bytes.length / element.size);
  for (let i = 0; i < data.length; i++) {
    data[i] = element.read(view, i * element.size);
  }
  return data;
}
