/** Order of the scalar field of BN254: what signals are computed modulo. */
export const FIELD_ORDER =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** The representative of `value` in [0, FIELD_ORDER). */
export function toField(value: bigint): bigint {
  const rest = value % FIELD_ORDER;
  return rest < 0n ? rest + FIELD_ORDER : rest;
}

/** The representative of a field element in (-FIELD_ORDER / 2, FIELD_ORDER / 2). */
export function toSigned(element: bigint): bigint {
  return element > FIELD_ORDER / 2n ? element - FIELD_ORDER : element;
}
