import { type R1csHeader, readElement, readR1csHeader, refuseTruncated } from "./r1csHeader.ts";

/** Sum of coefficient * wire. */
export type LinearCombination = { wires: Uint32Array; coefficients: bigint[] };

/** a * b = c over the wires. */
export type Constraint = { a: LinearCombination; b: LinearCombination; c: LinearCombination };

export type R1cs = R1csHeader & { constraints: Constraint[] };

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
