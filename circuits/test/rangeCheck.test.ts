import { describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../src/witnessCalculator.ts";
import { compileTemplate } from "./utils/compileTemplate.ts";
import { DIGITS, enumerateSolutions, range } from "./utils/enumerateSolutions.ts";

/** maximum and number of constraints: one per digit, one per inner 1 above a 0; the sum is folded */
const CASES = [
  [1n, 1],
  [2n, 2],
  [5n, 3],
  [6n, 3 + 1],
  [7n, 3],
  [16n, 5],
  [22n, 5 + 2],
  [27n, 5 + 1],
] as const;

describe.each(CASES)("RangeCheck(%d)", (maximum, constraints) => {
  it("has one solution inside the range, none outside, at the stated cost", async () => {
    const circuit = await compileTemplate({ file: "rangeCheck", main: `RangeCheck(${maximum})` });
    const candidates = () => DIGITS;
    for (const value of range(-20n, 70n)) {
      const isInside = value >= 0n && value <= maximum;
      const solutions = enumerateSolutions({ circuit, fixed: { in: value }, candidates });
      expect(solutions.length, `${value}`).toBe(isInside ? 1 : 0);
      if (isInside) {
        expect(circuit.checker.firstViolated(circuit.calculator.calculate({ in: value }))).toBe(
          undefined,
        );
      } else {
        expect(() => circuit.calculator.calculate({ in: value })).toThrow(/assertion fails/);
      }
    }
    expect(circuit.r1cs.constraints).toHaveLength(constraints);
  });
});

describe("RangeCheck", () => {
  it("reads a number and the same number plus the field's order as one", async () => {
    const { calculator } = await compileTemplate({ file: "rangeCheck", main: "RangeCheck(16)" });
    expect(calculator.calculate({ in: 3n + FIELD_ORDER })).toEqual(
      calculator.calculate({ in: 3n }),
    );
  });

  it("refuses a maximum of 0 when the circuit is compiled", async () => {
    await expect(
      compileTemplate({ file: "rangeCheck", main: "RangeCheck(0)" }),
    ).rejects.toMatchObject({ code: "circuit.compileFailed" });
  });
});
