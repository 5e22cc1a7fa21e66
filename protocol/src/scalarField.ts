/** Order of BN254's scalar field: every public signal of a proof is below it. */
export const SIGNAL_LIMIT =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;
