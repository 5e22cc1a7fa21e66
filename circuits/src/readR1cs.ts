import { BaseError } from "@haca/protocol/baseError";

export type R1csHeader = {
  fieldOrder: bigint;
  /** bytes of a coefficient */
  fieldSize: number;
  /** wire 0 is the constant 1; then public outputs, public inputs, private inputs, all others */
  wireCount: number;
  publicOutputCount: number;
  publicInputCount: number;
  privateInputCount: number;
  constraintCount: number;
  /** where the constraints start in the file */
  constraintsOffset: number;
};

/** Sum of coefficient * wire. */
export type LinearCombination = { wires: Uint32Array; coefficients: bigint[] };

/** a * b = c over the wires. */
export type Constraint = { a: LinearCombination; b: LinearCombination; c: LinearCombination };

export type R1cs = R1csHeader & { constraints: Constraint[] };

const HEADER_SECTION = 1;
const CONSTRAINTS_SECTION = 2;
const VERSION = 1;

/**
 * Reads the header of a `.r1cs` file, format version 1
 * (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md). Throws `r1cs.malformed`.
 */
export function readR1csHeader(bytes: Uint8Array): R1csHeader {
  return refuseTruncated(() => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "r1cs") {
      throw malformed("the file does not start with 'r1cs'");
    }
    const version = view.getUint32(4, true);
    if (version !== VERSION) {
      throw malformed(`format version ${version}, expected ${VERSION}`);
    }
    const sections = new Map<number, number>();
    const sectionCount = view.getUint32(8, true);
    let cursor = 12;
    for (let i = 0; i < sectionCount; i++) {
      sections.set(view.getUint32(cursor, true), cursor + 12);
      cursor += 12 + Number(view.getBigUint64(cursor + 4, true));
    }
    const header = sectionStart(sections, HEADER_SECTION);
    const fieldSize = view.getUint32(header, true);
    const counts = header + 4 + fieldSize;
    return {
      fieldSize,
      fieldOrder: readElement({ view, offset: header + 4, size: fieldSize }),
      wireCount: view.getUint32(counts, true),
      publicOutputCount: view.getUint32(counts + 4, true),
      publicInputCount: view.getUint32(counts + 8, true),
      privateInputCount: view.getUint32(counts + 12, true),
      // 8 bytes: number of labels
      constraintCount: view.getUint32(counts + 24, true),
      constraintsOffset: sectionStart(sections, CONSTRAINTS_SECTION),
    };
  });
}

/** Reads a `.r1cs` file with all its constraints. Throws `r1cs.malformed`. */
export function readR1cs(bytes: Uint8Array): R1cs {
  const header = readR1csHeader(bytes);
  const { fieldSize } = header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let cursor = header.constraintsOffset;
  const combination = (): LinearCombination => {
    const count = view.getUint32(cursor, true);
    cursor += 4;
    const wires: number[] = [];
    const coefficients: bigint[] = [];
    for (let i = 0; i < count; i++) {
      wires.push(view.getUint32(cursor, true));
      coefficients.push(readElement({ view, offset: cursor + 4, size: fieldSize }));
      cursor += 4 + fieldSize;
    }
    return { wires: Uint32Array.from(wires), coefficients };
  };
  return refuseTruncated(() => {
    const constraints: Constraint[] = [];
    for (let i = 0; i < header.constraintCount; i++) {
      constraints.push({ a: combination(), b: combination(), c: combination() });
    }
    return { ...header, constraints };
  });
}

/**
 * Signals of a circuit by name, without the leading `main.`, from circom's `.sym` file. The value is the wire in
 * the witness, or -1 for a signal that the compiler replaced by an expression over others.
 */
export function readSymbols(text: string): Map<string, number> {
  const wires = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, wire, , name] = line.split(",");
    if (wire !== undefined && name !== undefined) {
      wires.set(name.replace(/^main\./, ""), Number(wire));
    }
  }
  return wires;
}

/** A little-endian number of `size` bytes, a multiple of 8. */
function readElement(parameters: { view: DataView; offset: number; size: number }): bigint {
  const { view, offset, size } = parameters;
  let value = 0n;
  for (let at = size - 8; at >= 0; at -= 8) {
    value = (value << 64n) | view.getBigUint64(offset + at, true);
  }
  return value;
}

/** Runs a reader; a read beyond the end of the file becomes `r1cs.malformed`. */
function refuseTruncated<T>(read: () => T): T {
  try {
    return read();
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
