import { describe, expect, it } from "vitest";
import { seededRandom } from "../src/mutateWitness.ts";
import { toSigned } from "../src/witnessCalculator.ts";
import { compileTemplate } from "./utils/compileTemplate.ts";

describe("Dense", () => {
  it("adds weighted inputs and bias, for numbers of inputs around its block size", async () => {
    for (const inputs of [1, 31, 32, 33, 70]) {
      const random = seededRandom(BigInt(inputs));
      const signed = () => random(255n) - 127n;
      const outputs = 3;
      const x = Array.from({ length: inputs }, signed);
      const weights = Array.from({ length: outputs }, () => x.map(signed));
      const bias = Array.from({ length: outputs }, signed);
      const matrix = `[${weights.map((row) => `[${row}]`)}]`;
      const { calculator, r1cs } = await compileTemplate({
        file: "dense",
        main: `Dense(${inputs}, ${outputs}, ${matrix}, [${bias}])`,
      });
      const expected = weights.map((row, o) =>
        row.reduce((sum, weight, i) => sum + weight * (x[i] as bigint), bias[o] as bigint),
      );
      expect(
        calculator
          .calculate({ in: x })
          .slice(1, 1 + outputs)
          .map(toSigned),
      ).toEqual(expected);
      const isLinear = r1cs.constraints.every(
        ({ a, b }) => a.wires.length === 0 || b.wires.length === 0,
      );
      expect(isLinear).toBe(true);
    }
  });
});
