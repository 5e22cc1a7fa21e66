import type { IntegerFloor } from "@haca/model-runtime/kinds/floor";
import { bitLength } from "@haca/model-runtime/kinds/ranges";
import { constantSum, digitSum, exactly, wireSum } from "../circuit/sum.ts";
import type { CircuitKind } from "./circuitKind.ts";

/**
 * The upper digits of a value: the compiler's own, no operator of ONNX becomes it. Where rows have pinned the digits of an
 * element already, as those of the input and of a ReLU, they are taken as they are, without a row, or with one for the sign of a
 * ReLU: `gate * (sum of 2^i digit_i)` has the upper digits `gate * (sum of the upper ones)`, as the gate is 0 or 1. Other elements are
 * decomposed: width + 1 rows.
 */
export const floorCircuit: CircuitKind<IntegerFloor> = {
  addRows: ({ node: { offset, shift }, input, ranges, name, circuit }) =>
    input.map((sum, index) => {
      if (sum.wires.length === 0) {
        return constantSum(Math.floor((sum.constant + offset) / 2 ** shift));
      }
      const known = circuit.decompositionOf(sum);
      const least = (known?.least ?? 0) + offset;
      if (known !== undefined && least % 2 ** shift === 0) {
        const upper = digitSum(known.digits.slice(shift));
        if (known.gate === undefined || upper.wires.length === 0) {
          return exactly([[1, upper]], least / 2 ** shift);
        }
        const gated = circuit.product(`${name}x${index}`, wireSum(known.gate), upper);
        return exactly([[1, wireSum(gated)]], least / 2 ** shift);
      }
      const { minimum = 0n, maximum = 0n } = ranges[index] ?? {};
      // down to a multiple of 2^shift, so that what is taken off has no digits below it
      const start = ((minimum + BigInt(offset)) >> BigInt(shift)) << BigInt(shift);
      const width = Math.max(shift, bitLength(maximum + BigInt(offset) - start));
      const shifted = exactly([[1, sum]], offset - Number(start));
      const digits = circuit.digits(`${name}x${index}`, shifted, width);
      return exactly([[1, digitSum(digits.slice(shift))]], Number(start >> BigInt(shift)));
    }),
};
