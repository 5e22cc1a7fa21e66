import { dataLength, dataSlice } from "ethers";
import type { CompiledContract } from "./compiledContract.ts";

/** What a contract's code holds in place of its immutables, by their names; 32 bytes of hex each. */
export type Immutables = ReadonlyMap<string, string>;

/**
 * The immutables of run-time code that otherwise equals a compiled contract's; undefined if it differs, also where
 * one immutable has two values.
 */
export function matchCode(code: string, contract: CompiledContract): Immutables | undefined {
  if (code.length !== contract.runtimeCode.length) return undefined;
  let masked = code.toLowerCase();
  const values = new Map<string, string>();
  for (const [name, places] of contract.immutables) {
    for (const { start, length } of places) {
      const value = dataSlice(code, start, start + length);
      if ((values.get(name) ?? value) !== value) return undefined;
      values.set(name, value);
      masked = `${masked.slice(0, 2 + start * 2)}${"0".repeat(length * 2)}${masked.slice(2 + (start + length) * 2)}`;
    }
  }
  return masked === contract.runtimeCode.toLowerCase() ? values : undefined;
}

/** First byte at which code differs from a compiled contract's outside its immutables, for a person. */
export function firstDifference(code: string, contract: CompiledContract): string {
  const expected = contract.runtimeCode.toLowerCase();
  if (code.length !== expected.length) {
    return `${dataLength(code)} bytes instead of ${dataLength(expected)}`;
  }
  const isMasked = (byte: number): boolean =>
    [...contract.immutables.values()].some((places) =>
      places.some(({ start, length }) => byte >= start && byte < start + length),
    );
  for (let byte = 0; byte < dataLength(code); byte += 1) {
    const at = 2 + byte * 2;
    if (code.slice(at, at + 2).toLowerCase() !== expected.slice(at, at + 2) && !isMasked(byte)) {
      return `differs from byte ${byte} on`;
    }
  }
  return "one immutable has two values";
}
