import { BaseError } from "@haca/protocol/baseError";

/** Sum of coefficient * wire. */
export type LinearCombination = { wires: Uint32Array; coefficients: bigint[] };

/** a * b = c over the wires. */
export type Constraint = { a: LinearCombination; b: LinearCombination; c: LinearCombination };

export type R1cs = {
  fieldOrder: bigint;
  /** wire 0 is the constant 1; then public outputs, public inputs, private inputs, all others */
  wireCount: number;
  publicOutputCount: number;
  publicInputCount: number;
  privateInputCount: number;
  constraints: Constraint[];
  /** number of coefficients in all constraints */
  nonZeros: number;
};

const HEADER_SECTION = 1;
const CONSTRAINTS_SECTION = 2;

/**
 * Reads a `.r1cs` file, format version 1 (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md).
 * Throws `r1cs.malformed`.
 */
export function readR1cs(bytes: Uint8Array): R1cs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let cursor = 0;
  const u32 = () => {
    cursor += 4;
    return view.getUint32(cursor - 4, true);
  };
  const u64 = () => {
    cursor += 8;
    return Number(view.getBigUint64(cursor - 8, true));
  };
  const element = (size: number) => {
    let value = 0n;
    for (let offset = size - 8; offset >= 0; offset -= 8) {
      value = (value << 64n) | view.getBigUint64(cursor + offset, true);
    }
    cursor += size;
    return value;
  };

  try {
    if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "r1cs") {
      throw malformed("the file does not start with 'r1cs'");
    }
    cursor = 4;
    const version = u32();
    if (version !== 1) {
      throw malformed(`format version ${version}, expected 1`);
    }
    const sections = new Map<number, number>();
    const sectionCount = u32();
    for (let i = 0; i < sectionCount; i++) {
      const type = u32();
      const size = u64();
      sections.set(type, cursor);
      cursor += size;
    }

    cursor = sectionStart(sections, HEADER_SECTION);
    const fieldSize = u32();
    const fieldOrder = element(fieldSize);
    const wireCount = u32();
    const publicOutputCount = u32();
    const publicInputCount = u32();
    const privateInputCount = u32();
    u64(); // labels
    const constraintCount = u32();

    cursor = sectionStart(sections, CONSTRAINTS_SECTION);
    let nonZeros = 0;
    const combination = (): LinearCombination => {
      const count = u32();
      nonZeros += count;
      const wires = new Uint32Array(count);
      const coefficients = new Array<bigint>(count);
      for (let i = 0; i < count; i++) {
        wires[i] = u32();
        coefficients[i] = element(fieldSize);
      }
      return { wires, coefficients };
    };
    const constraints: Constraint[] = [];
    for (let i = 0; i < constraintCount; i++) {
      constraints.push({ a: combination(), b: combination(), c: combination() });
    }
    return {
      fieldOrder,
      wireCount,
      publicOutputCount,
      publicInputCount,
      privateInputCount,
      constraints,
      nonZeros,
    };
  } catch (cause) {
    throw cause instanceof RangeError ? malformed("the file is truncated", cause) : cause;
  }
}

function sectionStart(sections: ReadonlyMap<number, number>, type: number): number {
  const start = sections.get(type);
  if (start === undefined) {
    throw malformed(`section ${type} is missing`);
  }
  return start;
}

function malformed(message: string, cause?: unknown): BaseError {
  return new BaseError({ code: "r1cs.malformed", message, cause });
}
