import { type ConstantTensor, OnnxError } from "./onnxGraph.ts";
import { ONNX_DOUBLE, ONNX_FLOAT, ONNX_INT32, ONNX_INT64 } from "./onnxSchema.ts";

/** `TensorProto` as protobufjs decodes it. */
export type TensorMessage = {
  name: string;
  dims: number[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: number[];
  doubleData: number[];
  rawData: Uint8Array;
  dataLocation: number;
};

const EXTERNAL = 1;

/** Bytes of an element in `raw_data` (little-endian) and how to read one. */
const RAW: ReadonlyMap<number, { size: number; read: (view: DataView, at: number) => number }> =
  new Map([
    [ONNX_FLOAT, { size: 4, read: (view, at) => view.getFloat32(at, true) }],
    [ONNX_INT32, { size: 4, read: (view, at) => view.getInt32(at, true) }],
    [ONNX_INT64, { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) }],
    [ONNX_DOUBLE, { size: 8, read: (view, at) => view.getFloat64(at, true) }],
  ]);

/** The values of a constant tensor. Refuses data that is missing, surplus, external or not finite. */
export function readTensor(message: TensorMessage): ConstantTensor {
  const name = message.name || "(unnamed)";
  const fail = (text: string) =>
    new OnnxError({ reason: "tensorInvalid", message: `tensor ${name}: ${text}` });

  if (message.dataLocation === EXTERNAL) {
    throw fail("its data is in another file; save the model with its weights inside");
  }
  const raw = RAW.get(message.dataType);
  if (raw === undefined) {
    throw fail(`element type ${message.dataType} is not float, double, int32 or int64`);
  }
  if (message.dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw fail(`dimensions [${message.dims}] are not sizes`);
  }
  const count = message.dims.reduce((product, size) => product * size, 1);
  const data = message.rawData.length > 0 ? rawValues(message.rawData, raw, fail) : listed(message);
  if (data.length !== count) {
    throw fail(`shape [${message.dims}] needs ${count} elements, the file has ${data.length}`);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw fail(`element ${bad} is ${data[bad]}`);
  }
  return { shape: message.dims, data };
}

function listed(message: TensorMessage): Float64Array {
  switch (message.dataType) {
    case ONNX_FLOAT:
      return Float64Array.from(message.floatData);
    case ONNX_INT32:
      return Float64Array.from(message.int32Data);
    case ONNX_INT64:
      return Float64Array.from(message.int64Data);
    default:
      return Float64Array.from(message.doubleData);
  }
}

function rawValues(
  bytes: Uint8Array,
  raw: { size: number; read: (view: DataView, at: number) => number },
  fail: (text: string) => OnnxError,
): Float64Array {
  if (bytes.length % raw.size !== 0) {
    throw fail(`${bytes.length} bytes of raw data do not divide into elements of ${raw.size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float64Array(bytes.length / raw.size);
  for (let i = 0; i < data.length; i++) {
    data[i] = raw.read(view, i * raw.size);
  }
  return data;
}
