import { readR1csHeader, refuseTruncated } from "./r1csHeader.ts";

/** Number of coefficients in all constraints of a `.r1cs` file, without reading their values. */
export function countNonZeros(bytes: Uint8Array): number {
  const { fieldSize, constraintCount, constraintsOffset } = readR1csHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return refuseTruncated(() => {
    let cursor = constraintsOffset;
    let total = 0;
    // a, b and c of every constraint
    for (let i = 0; i < 3 * constraintCount; i++) {
      const count = view.getUint32(cursor, true);
      cursor += 4 + count * (4 + fieldSize);
      total += count;
    }
    return total;
  });
}
