import { FIELD_ORDER } from "@haca/model-runtime/witness/field";

/** Rows of elements of the scalar field. */
export type FieldMatrix = readonly (readonly bigint[])[];

/** A number as the element that it is, from 0 to the order. */
export const inField = (value: bigint): bigint => {
  const rest = value % FIELD_ORDER;
  return rest < 0n ? rest + FIELD_ORDER : rest;
};

/** The inverse of an element that is not 0, by Fermat. */
export function invertElement(element: bigint): bigint {
  let [result, base, exponent] = [1n, inField(element), FIELD_ORDER - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % FIELD_ORDER;
    base = (base * base) % FIELD_ORDER;
  }
  return result;
}

/** The inverse of a square matrix, by elimination, or undefined where it has none. */
export function invertMatrix(matrix: FieldMatrix): bigint[][] | undefined {
  const size = matrix.length;
  const left = matrix.map((row) => row.map(inField));
  const right = left.map((_, index) => left.map((__, other) => (other === index ? 1n : 0n)));
  for (let column = 0; column < size; column++) {
    const pivot = left.findIndex((row, index) => index >= column && row[column] !== 0n);
    if (pivot === -1) return undefined;
    for (const half of [left, right]) {
      [half[column], half[pivot]] = [half[pivot] as bigint[], half[column] as bigint[]];
    }
    const factor = invertElement(left[column]?.[column] as bigint);
    for (const half of [left, right]) {
      half[column] = (half[column] as bigint[]).map((value) => (value * factor) % FIELD_ORDER);
    }
    for (let row = 0; row < size; row++) {
      const times = left[row]?.[column] as bigint;
      if (row === column || times === 0n) continue;
      for (const half of [left, right]) {
        const from = half[column] as bigint[];
        half[row] = (half[row] as bigint[]).map((value, index) =>
          inField(value - times * (from[index] as bigint)),
        );
      }
    }
  }
  return right;
}
