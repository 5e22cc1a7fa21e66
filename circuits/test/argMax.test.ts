import { beforeAll, describe, expect, it } from "vitest";
import { toField } from "../src/witnessCalculator.ts";
import { compileTemplate, type TestCircuit } from "./utils/compileTemplate.ts";
import { DIGITS, enumerateSolutions, range } from "./utils/enumerateSolutions.ts";

describe("ArgMax(3, 2)", () => {
  let circuit: TestCircuit;
  beforeAll(async () => {
    circuit = await compileTemplate({ file: "argMax", main: "ArgMax(3, 2)" });
  });

  it("admits exactly the first of the greatest, ties included", () => {
    const values = range(-1n, 1n);
    for (const a of values) {
      for (const b of values) {
        for (const c of values) {
          const scores = [a, b, c];
          const expected = BigInt(scores.findIndex((x) => x >= a && x >= b && x >= c));
          const solutions = enumerateSolutions({
            circuit,
            fixed: { "in[0]": a, "in[1]": b, "in[2]": c },
            candidates: (signal) => {
              if (signal === "index") {
                return range(-1n, 4n);
              }
              return signal.startsWith("picked") ? range(-2n, 2n) : DIGITS;
            },
          });
          expect(
            solutions.map((solution) => solution.get("index")),
            `${scores}`,
          ).toEqual([expected]);
          expect(circuit.calculator.calculate({ in: scores })[1]).toBe(expected);
        }
      }
    }
  });
});

describe("ArgMax(10, 20)", () => {
  let circuit: TestCircuit;
  beforeAll(async () => {
    circuit = await compileTemplate({ file: "argMax", main: "ArgMax(10, 20)" });
  });
  const indexOf = (scores: bigint[]) => circuit.calculator.calculate({ in: scores })[1];

  it("compares at the ends of its range", () => {
    const limit = (1n << 20n) - 1n;
    const low = new Array<bigint>(10).fill(-limit);
    for (let winner = 0; winner < 10; winner++) {
      expect(indexOf(low.with(winner, 0n))).toBe(BigInt(winner));
    }
    expect(indexOf(low)).toBe(0n);
    expect(indexOf(low.with(3, 0n).with(7, 0n))).toBe(3n);
  });

  it("has no witness for differences beyond its range", () => {
    const scores = new Array<bigint>(10).fill(0n).with(4, 1n << 20n);
    expect(() => indexOf(scores)).toThrow(/assertion fails/);
  });

  it("does not take another index or a later one of equal scores", () => {
    const scores = [5n, -3n, 9n, 9n, 0n, 0n, 0n, 0n, 0n, 8n];
    const witness = circuit.calculator.calculate({ in: scores });
    expect(witness[1]).toBe(2n);
    // the whole winner moves: one-hot vector, picked values and index stay consistent with each other
    const move = (winner: number): bigint[] => {
      const moved = [...witness];
      const set = (name: string, value: bigint) => {
        const wire = circuit.symbols.get(name) ?? -1;
        if (wire > 0) {
          moved[wire] = toField(value);
        }
      };
      for (let i = 0; i < 10; i++) {
        set(`isWinner[${i}]`, i === winner ? 1n : 0n);
        set(`picked[${i}]`, i === winner ? (scores[i] as bigint) : 0n);
      }
      set("index", BigInt(winner));
      return moved;
    };
    expect(circuit.checker.firstViolated(move(2))).toBe(undefined);
    for (const winner of [0, 1, 3, 4, 9]) {
      expect(circuit.checker.firstViolated(move(winner)), `${winner}`).not.toBe(undefined);
    }
  });
});
