import { describe, expect, it } from "vitest";
import { mutateWitness, seededRandom } from "../src/mutateWitness.ts";
import type { SignalValues } from "../src/witnessCalculator.ts";
import { compileSource, compileTemplate } from "./utils/compileTemplate.ts";

const GROUPS = process.env.HACA_DEEP === undefined ? 300 : 20_000;

const CASES: { file: string; main: string; input?: string; inputs: SignalValues[] }[] = [
  { file: "bits", main: "Bits(9)", inputs: [{ in: 0n }, { in: 511n }, { in: 300n }] },
  {
    file: "rangeCheck",
    main: "RangeCheck(1000)",
    inputs: [{ in: 0n }, { in: 1000n }, { in: 999n }, { in: 512n }],
  },
  {
    file: "reluRescale",
    main: "ReluRescale(12, 5)",
    inputs: [{ in: -2064n }, { in: -1n }, { in: 15n }, { in: 16n }, { in: 2031n }],
  },
  {
    file: "rescale",
    main: "Rescale(12, 5)",
    inputs: [{ in: -2064n }, { in: -1n }, { in: 0n }, { in: 2031n }],
  },
  {
    file: "argMax",
    main: "ArgMax(5, 8)",
    inputs: [{ in: [0n, 0n, 0n, 0n, 0n] }, { in: [-9n, 70n, 3n, 70n, -100n] }],
  },
  {
    file: "packedWords",
    main: "PackedWords(2, 4, [100, 100, 100, 7])",
    inputs: [{ in: [1n, 2n, 3n, 4n] }],
  },
  {
    file: "dense",
    main: "Dense(3, 2, [[1, -2, 3], [4, 5, -6]], [7, -8])",
    inputs: [{ in: [3n, -4n, 5n] }],
  },
  {
    file: "bindContext",
    main: "BindContext()",
    input: "context",
    inputs: [{ context: 5n }, { context: 0n }],
  },
];

describe("mutation", () => {
  it.each(CASES)("$main notices every changed wire", async ({ inputs, ...template }) => {
    const { calculator, r1cs, checker } = await compileTemplate(template);
    const random = seededRandom(BigInt(template.main.length));
    for (const input of inputs) {
      const witness = calculator.calculate(input);
      expect(checker.firstViolated(witness)).toBe(undefined);
      const unnoticed = mutateWitness({ r1cs, checker, witness, random, groups: GROUPS });
      expect(unnoticed).toEqual([]);
    }
  });

  it("finds the loose wires of an unsound circuit", async () => {
    // a quotient that no constraint ties to its remainder's range
    const { calculator, r1cs, checker, symbols } = await compileSource(`pragma circom 2.2.0;
      template Unsound() {
        signal input in;
        signal output quotient;
        signal remainder;
        quotient <-- in >> 3;
        remainder <-- in & 7;
        quotient * 8 + remainder === in;
        signal unused <-- 1;
        unused * (unused - 1) === 0;
      }
      component main = Unsound();`);
    const witness = calculator.calculate({ in: 100n });
    const random = seededRandom(1n);
    const unnoticed = mutateWitness({ r1cs, checker, witness, random, groups: 0 });
    expect(unnoticed).toContainEqual(new Map([[symbols.get("unused"), 0n]]));
  });
});
