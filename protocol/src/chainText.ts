import {
  AbiCoder,
  type BytesLike,
  dataLength,
  type FunctionFragment,
  getBytes,
  Interface,
  ParamType,
  Result,
} from "ethers";

const WORD = 32;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text of bytes that somebody put on a chain as a string: what is not UTF-8 becomes U+FFFD. */
export const textOf = (bytes: BytesLike): string => decoder.decode(getBytes(bytes));

/** Decodes as ethers does, except that a string which is not UTF-8 is text with U+FFFD and no error. */
export function decodeText(types: readonly ParamType[], data: BytesLike): Result {
  return restore(types, AbiCoder.defaultAbiCoder().decode(types.map(asBytes), data));
}

/**
 * An interface for contracts whose strings anybody may have written. A contract takes any bytes for a string, and
 * ethers' own interface throws at those that are not UTF-8.
 */
export class TextInterface extends Interface {
  override decodeFunctionResult(fragment: FunctionFragment | string, data: BytesLike): Result {
    const found = typeof fragment === "string" ? this.getFunction(fragment) : fragment;
    const length = dataLength(data);
    // Anything else is no answer; ethers says what it is.
    if (found === null || length === 0 || length % WORD !== 0) {
      return super.decodeFunctionResult(fragment, data);
    }
    return decodeText(found.outputs, data);
  }
}

const asBytes = (type: ParamType): ParamType =>
  ParamType.from(type.format("sighash").replaceAll("string", "bytes"));

function restore(types: readonly ParamType[], values: Result): Result {
  return Result.fromItems(
    types.map((type, index) => restoreOne(type, values[index])),
    types.map(({ name }) => name || null),
  );
}

function restoreOne(type: ParamType, value: unknown): unknown {
  if (type.isArray()) {
    const { arrayChildren } = type;
    return Result.fromItems([...(value as Result)].map((item) => restoreOne(arrayChildren, item)));
  }
  if (type.isTuple()) return restore(type.components, value as Result);
  return type.type === "string" ? textOf(value as BytesLike) : value;
}
