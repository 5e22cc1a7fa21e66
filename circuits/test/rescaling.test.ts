import { describe, expect, it } from "vitest";
import { toField } from "../src/witnessCalculator.ts";
import { compileTemplate } from "./utils/compileTemplate.ts";
import { DIGITS, enumerateSolutions, range } from "./utils/enumerateSolutions.ts";

/** floor((value + half) / 2^shift) */
function rounded(value: bigint, shift: number): bigint {
  const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
  return (value + half) >> BigInt(shift);
}

const CASES = [
  { template: "ReluRescale", file: "reluRescale", width: 5, shift: 2 },
  { template: "ReluRescale", file: "reluRescale", width: 5, shift: 0 },
  { template: "ReluRescale", file: "reluRescale", width: 5, shift: 3 },
  { template: "Rescale", file: "rescale", width: 5, shift: 2 },
  { template: "Rescale", file: "rescale", width: 5, shift: 4 },
] as const;

describe.each(CASES)("$template($width, $shift)", ({ template, file, width, shift }) => {
  it("admits exactly the rounded quotient in its range and nothing outside", async () => {
    const circuit = await compileTemplate({ file, main: `${template}(${width}, ${shift})` });
    const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
    const limit = 1n << BigInt(width - 1);
    const candidates = (signal: string) => (signal === "out" ? range(-20n, 20n) : DIGITS);

    for (const value of range(-40n, 40n)) {
      const quotient = rounded(value, shift);
      const expected = template === "ReluRescale" && quotient < 0n ? 0n : quotient;
      const isInside = value + half >= -limit && value + half < limit;
      const outputs = enumerateSolutions({ circuit, fixed: { in: value }, candidates }).map(
        (solution) => solution.get("out"),
      );
      expect(outputs, `${value}`).toEqual(isInside ? [toField(expected)] : []);
      if (isInside) {
        expect(circuit.calculator.calculate({ in: value })[1]).toBe(toField(expected));
      } else {
        expect(() => circuit.calculator.calculate({ in: value })).toThrow(/assertion fails/);
      }
    }
  });

  it("costs at most its width and two constraints", async () => {
    const { r1cs } = await compileTemplate({ file, main: `${template}(${width}, ${shift})` });
    expect(r1cs.constraints.length).toBeLessThanOrEqual(width + 2);
  });
});

describe("arguments", () => {
  it.each([
    ["reluRescale", "ReluRescale(4, 3)"],
    ["reluRescale", "ReluRescale(254, 3)"],
    ["rescale", "Rescale(4, 4)"],
    ["rescale", "Rescale(4, 0)"],
  ])("%s: %s does not compile", async (file, main) => {
    await expect(compileTemplate({ file, main })).rejects.toMatchObject({
      code: "circuit.compileFailed",
    });
  });
});
