import { beforeAll, describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../src/witnessCalculator.ts";
import { compileTemplate, type TestCircuit } from "./utils/compileTemplate.ts";
import { DIGITS, enumerateSolutions, range } from "./utils/enumerateSolutions.ts";

describe("Bits(4)", () => {
  let circuit: TestCircuit;
  beforeAll(async () => {
    circuit = await compileTemplate({ file: "bits", main: "Bits(4)" });
  });

  it("has exactly one decomposition for every number of four digits", () => {
    for (const value of range(0n, 15n)) {
      const solutions = enumerateSolutions({
        circuit,
        fixed: { in: value },
        candidates: () => DIGITS,
      });
      const digits = [0, 1, 2, 3].map((i) => solutions[0]?.get(`bits[${i}]`));
      expect(solutions).toHaveLength(1);
      expect(digits).toEqual([0n, 1n, 2n, 3n].map((i) => (value >> i) & 1n));
    }
  });

  it.each([16n, 17n, 31n, -1n, -16n, FIELD_ORDER / 2n])("has none for %d", (value) => {
    const candidates = () => DIGITS;
    expect(enumerateSolutions({ circuit, fixed: { in: value }, candidates })).toEqual([]);
    expect(() => circuit.calculator.calculate({ in: value })).toThrow(/assertion fails/);
  });

  it("costs one constraint per digit and one for the sum", () => {
    expect(circuit.r1cs.constraints).toHaveLength(5);
  });
});

describe("Bits at the field's size", () => {
  it("decomposes numbers of 253 digits", async () => {
    const { calculator } = await compileTemplate({ file: "bits", main: "Bits(253)" });
    const greatest = (1n << 253n) - 1n;
    expect(calculator.calculate({ in: greatest }).slice(1, 254)).toEqual(new Array(253).fill(1n));
    expect(() => calculator.calculate({ in: greatest + 1n })).toThrow(/assertion fails/);
  });

  it("refuses 254 digits, where a number would have two decompositions", async () => {
    await expect(compileTemplate({ file: "bits", main: "Bits(254)" })).rejects.toMatchObject({
      code: "circuit.compileFailed",
    });
  });
});
