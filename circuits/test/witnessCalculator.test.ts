import { beforeAll, describe, expect, it } from "vitest";
import { FIELD_ORDER, toField, toSigned } from "../src/witnessCalculator.ts";
import { compileSource, type TestCircuit } from "./utils/compileTemplate.ts";

describe("createWitnessCalculator", () => {
  let circuit: TestCircuit;
  beforeAll(async () => {
    circuit = await compileSource(`pragma circom 2.2.0;
      template Main() {
        signal input a[2];
        signal input b;
        signal output c <== a[0] * b + a[1];
        c * (c - 12) === 0;
      }
      component main = Main();`);
  });

  it("computes wires, again and again", () => {
    expect(circuit.calculator.calculate({ a: [3n, 6n], b: 2n }).length).toBe(
      circuit.r1cs.wireCount,
    );
    expect(circuit.calculator.calculate({ a: [5n, 2n], b: 2n })[1]).toBe(12n);
    expect(circuit.calculator.calculate({ a: [5n, 10n], b: -2n })[1]).toBe(0n);
  });

  it.each([
    ["a missing signal", { a: [1n, 2n] }],
    ["an unknown signal", { a: [1n, 2n], x: 1n }],
    ["too few elements", { a: [1n], b: [2n, 3n] }],
    ["too many elements", { a: [1n, 2n, 3n], b: 1n }],
  ])("refuses %s", (_, signals) => {
    expect(() => circuit.calculator.calculate(signals)).toThrow(
      expect.objectContaining({ code: "witness.inputInvalid" }),
    );
  });

  it("names the template where a constraint fails, and works afterwards", () => {
    expect(() => circuit.calculator.calculate({ a: [1n, 1n], b: 1n })).toThrow(/Main/);
    expect(circuit.calculator.calculate({ a: [5n, 2n], b: 2n })[1]).toBe(12n);
  });
});

describe("field", () => {
  it("maps integers to elements and back", () => {
    for (const value of [0n, 1n, -1n, 12345n, -(1n << 200n)]) {
      expect(toSigned(toField(value))).toBe(value);
    }
    expect(toField(FIELD_ORDER)).toBe(0n);
  });
});
