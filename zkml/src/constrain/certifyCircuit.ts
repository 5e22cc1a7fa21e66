import { certifyDeterminism } from "../circuit/certifyDeterminism.ts";
import { certifyNoWrap } from "../circuit/certifyNoWrap.ts";
import type { CircuitLayout } from "./layOutCircuit.ts";

/**
 * Both certificates of a circuit, from its rows alone: it has one witness at most for given public inputs, and its rows
 * hold in the integers. Together with an honest witness for every input in range, the circuit accepts the integer model
 * and nothing else. Throws `certificate.*`.
 */
export function certifyCircuit(circuit: CircuitLayout): void {
  certifyDeterminism({ ...circuit, ranges: certifyNoWrap(circuit) });
}
