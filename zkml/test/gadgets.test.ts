import { FIELD_ORDER } from "@haca/circuits/field";
import { readR1cs } from "@haca/circuits/readR1cs";
import { kindOf } from "@haca/model-runtime/integerModel";
import { describe, expect, it } from "vitest";
import { CircuitBuilder } from "../src/circuit/circuitBuilder.ts";
import { constantSum, digitSum, exactly, type Sum, wireSum } from "../src/circuit/sum.ts";
import { circuitOf } from "../src/kinds/kinds.ts";
import { pinnedElements } from "../src/kinds/leaves.ts";
import { reluCircuit, rescaleCircuit } from "../src/kinds/relu.ts";
import { DIGITS, gadgetOf, integers, NAMES, resultsOf } from "./utils/gadgets.ts";
import { r1csBytes } from "./utils/layOutModel.ts";

describe("a dishonest prover", () => {
  it("finds no other digits of a number, and none of a number beyond them", () => {
    const gadget = gadgetOf(1, (circuit, [sum]) => digitSum(circuit.digits("d", sum as Sum, 3)));
    expect(gadget.circuit.rows.count).toBe(4);
    for (const value of integers(-3, 10)) {
      const found = resultsOf({ gadget, inputs: [value], candidates: () => DIGITS });
      expect(found, `${value}`).toEqual(value >= 0n && value < 8n ? [value] : []);
    }
  });

  it("finds digits for the numbers up to a limit only", () => {
    for (const maximum of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13]) {
      const gadget = gadgetOf(1, (circuit, [sum]) => {
        const number = digitSum(circuit.limitedDigits("d", sum as Sum, maximum));
        circuit.requireZero(
          exactly([
            [1, sum as Sum],
            [-1, number],
          ]),
        );
        return number;
      });
      for (const value of integers(-2, 17)) {
        const found = resultsOf({ gadget, inputs: [value], candidates: () => DIGITS });
        expect(found, `${value} of ${maximum}`).toEqual(
          value >= 0n && value <= BigInt(maximum) ? [value] : [],
        );
      }
    }
  });

  it.each([0, 1, 2])("finds only the ReLU of a number, divided by 2^%i", (shift) => {
    const range = { minimum: -6n, maximum: 6n };
    const gadget = gadgetOf(1, (circuit, input) => {
      const node = { kind: "relu", shift, ...NAMES } as const;
      return reluCircuit.addRows({ node, input, ranges: [range], name: "r", circuit })[0] as Sum;
    });
    // w + 2, with w = 4 digits
    const width = gadget.circuit.rows.count - 2;
    expect(width).toBe(shift === 2 ? 5 : 4);
    for (const value of integers(-6, 6)) {
      const half = shift === 0 ? 0n : 1n << BigInt(shift - 1);
      const quotient = (value + half) >> BigInt(shift);
      const found = resultsOf({
        gadget,
        inputs: [value],
        candidates: (name) => (name.endsWith("Out") ? integers(-9, 9) : DIGITS),
      });
      expect(found, `${value}`).toEqual([quotient > 0n ? quotient : 0n]);
    }
  });

  it("finds only the rounded quotient of a signed number", () => {
    const range = { minimum: -6n, maximum: 5n };
    const gadget = gadgetOf(1, (circuit, input) => {
      const node = { kind: "rescale", shift: 1, ...NAMES } as const;
      return rescaleCircuit.addRows({ node, input, ranges: [range], name: "r", circuit })[0] as Sum;
    });
    for (const value of integers(-6, 5)) {
      const found = resultsOf({ gadget, inputs: [value], candidates: () => DIGITS });
      expect(found, `${value}`).toEqual([(value + 1n) >> 1n]);
    }
  });

  it.each([
    ["relu", 0],
    ["relu", 1],
    ["relu", 2],
    ["rescale", 0],
    ["rescale", 1],
    ["rescale", 2],
  ] as const)("finds only the %s of element %i by its own power of two", (kind, at) => {
    const shift = [0, 2, 1];
    const range = { minimum: -4n, maximum: 3n };
    const node = { kind, shift, ...NAMES };
    const { compute } = kindOf(node);
    const gadget = gadgetOf(1, (circuit, [sum]) => {
      // the others are constants, so that the prover's choice is about one element
      const input = shift.map((_, index) => (index === at ? (sum as Sum) : constantSum(0)));
      const ranges = shift.map((_, index) => (index === at ? range : { minimum: 0n, maximum: 0n }));
      return circuitOf(node).addRows({ node, input, ranges, name: "n", circuit })[at] as Sum;
    });
    for (const value of integers(-4, 3)) {
      const found = resultsOf({
        gadget,
        inputs: [value],
        candidates: (name) => (name.endsWith("Out") ? integers(-9, 9) : DIGITS),
      });
      const expected = compute(
        node,
        shift.map((_, index) => (index === at ? Number(value) : 0)),
      );
      // digits of the constants can be chosen in one way only, too
      expect(found, `${value}`).toEqual([BigInt(expected[at] as number)]);
    }
  });

  it.each([
    ["of both signs", 0, -6, 6],
    ["of both signs", 1, -6, 5],
    ["of both signs", 2, -7, 7],
    ["never negative", 1, -1, 6],
    ["never positive", 1, -6, 0],
    ["never positive", 0, -6, 0],
  ])("finds only both sides of a number %s, divided by 2^%i", (title, shift, least, most) => {
    const range = { minimum: BigInt(least), maximum: BigInt(most) };
    const node = { kind: "parts" as const, shift, ...NAMES };
    const gadget = gadgetOf(1, (circuit, input) => {
      const [quotient, positive] = circuitOf(node).addRows({
        node,
        input,
        ranges: [range],
        name: "p",
        circuit,
      }) as [Sum, Sum];
      return exactly([
        [1, quotient],
        [100, positive],
      ]);
    });
    // digits, the row that they add up in, and the sign row
    const width = gadget.circuit.blocks.find(({ name }) => name === "px0")?.count ?? 0;
    const rows = title === "of both signs" ? width + 2 : shift === 0 ? 0 : width + 1;
    expect(gadget.circuit.rows.count).toBe(rows);
    for (const value of integers(least, most)) {
      const [quotient = 0, positive = 0] = kindOf(node).compute(node, [Number(value)]);
      const found = resultsOf({
        gadget,
        inputs: [value],
        candidates: (name) => (name.endsWith("Out") ? integers(-9, 9) : DIGITS),
      });
      expect(found, `${value}`).toEqual([BigInt(quotient + 100 * positive)]);
    }
  });

  it.each([
    ["one threshold", [2]],
    ["two", [1, 3]],
    ["three, and two that say nothing", [-9, -1, 1, 2, 9]],
  ])("finds only the leaf of a number: %s", (_, leasts) => {
    const range = { minimum: -3n, maximum: 4n };
    const chain = leasts.map((_, at) => -(at + 1));
    const node = {
      kind: "leaves" as const,
      input: "x",
      output: "y",
      thresholds: leasts.map((least) => ({ index: 0, least })),
      // a chain: the first threshold that is passed, or none
      paths: [...leasts.map((_, at) => [...chain.slice(0, at), at + 1]), chain],
    };
    const gadget = gadgetOf(1, (circuit, input) => {
      const ranges = [range];
      const sums = circuitOf(node).addRows({ node, input, ranges, name: "t", circuit });
      return exactly(sums.map((sum, at) => [10 ** at, sum] as const));
    });
    for (const value of integers(-3, 4)) {
      const leaves = kindOf(node).compute(node, [Number(value)]);
      const expected = leaves.reduce((total, leaf, at) => total + leaf * 10 ** at, 0);
      const found = resultsOf({ gadget, inputs: [value], candidates: () => DIGITS });
      expect(found, `${value}`).toEqual([BigInt(expected)]);
    }
  });

  it.each([
    ["two thresholds", [1, 3]],
    ["three, and two that say nothing", [-9, -1, 1, 2, 9]],
  ])("finds a leaf of no element out of the range that a rank is to enforce: %s", (_, leasts) => {
    const node = {
      ...{ kind: "leaves" as const, input: "x", output: "y" },
      thresholds: leasts.map((least) => ({ index: 0, least })),
      paths: leasts.map((_, at) => [at + 1]),
    };
    const ranges = [{ minimum: -3n, maximum: 4n }];
    expect([...pinnedElements(node, ranges)]).toEqual([0]);
    // one threshold is compared, and says nothing of the ends
    const one = { ...node, thresholds: node.thresholds.slice(1, 2) };
    expect([...pinnedElements(one, ranges)]).toEqual([]);
    const gadget = gadgetOf(1, (circuit, [sum = constantSum(0)]) => {
      const element = wireSum(circuit.unrangedWire("element", sum));
      expect(() => circuit.requireClosed()).toThrow("no range");
      const input = [element];
      const sums = circuitOf(node).addRows({ node, input, ranges, name: "t", circuit });
      circuit.requireClosed();
      // what packs the element says which it is
      circuit.requireZero(
        exactly([
          [1, element],
          [-1, sum],
        ]),
      );
      return exactly(sums.map((leaf, at) => [10 ** at, leaf] as const));
    });
    for (const value of integers(-12, 13)) {
      const leaves = kindOf(node).compute(node, [Number(value)]);
      const expected = leaves.reduce((total, leaf, at) => total + leaf * 10 ** at, 0);
      const candidates = (name: string) => (name === "element" ? [value] : DIGITS);
      const found = resultsOf({ gadget, inputs: [value], candidates });
      expect(found, `${value}`).toEqual(value >= -3n && value <= 4n ? [BigInt(expected)] : []);
    }
  });

  it.each([
    ["known", 0],
    ["known from elsewhere", 5],
    ["a ReLU's", 1],
    ["unknown", 5],
  ])("finds only the upper digits of a number whose digits are %s", (title, rows) => {
    const range = { minimum: title === "a ReLU's" ? 0n : -3n, maximum: 6n };
    const offset = title === "a ReLU's" ? 0 : title === "known from elsewhere" ? 4 : 3;
    const node = { kind: "floor" as const, offset, shift: 2, ...NAMES };
    let own = 0;
    const gadget = gadgetOf(1, (circuit, [sum]) => {
      let value = sum as Sum;
      if (title === "a ReLU's") {
        const relu = { kind: "relu" as const, shift: 0, ...NAMES };
        const ranges = [{ minimum: -6n, maximum: 6n }];
        value = circuitOf(relu).addRows({
          node: relu,
          input: [value],
          ranges,
          name: "r",
          circuit,
        })[0] as Sum;
      }
      if (title.startsWith("known")) {
        const digits = circuit.digits("d", exactly([[1, value]], 3), 4);
        circuit.keepDecomposition(value, { digits, least: -3 });
      }
      own = circuit.rows.count;
      return circuitOf(node).addRows({
        node,
        input: [value],
        ranges: [range],
        name: "f",
        circuit,
      })[0] as Sum;
    });
    expect(gadget.circuit.rows.count - own).toBe(rows);
    for (const value of integers(-3, 6)) {
      const found = resultsOf({
        gadget,
        inputs: [value],
        candidates: (name) =>
          /rx0Out|fx0$/.test(name) && title === "a ReLU's" ? integers(-9, 9) : DIGITS,
      });
      const read = title === "a ReLU's" && value < 0n ? 0n : value;
      expect(found, `${value}`).toEqual([(read + BigInt(offset)) >> 2n]);
    }
  });

  it("finds only the first of the greatest numbers, by whatever winners", () => {
    const gadget = gadgetOf(3, (circuit, sums) => circuit.choice("c", sums, 2));
    // n * (w + 2) + 1
    expect(gadget.circuit.rows.count).toBe(13);
    // 0 and 1, and what the rows of the winners admit beside them: 1 - k * d
    const winners = [0n, 1n, ...[1n, 2n, 3n].map((digits) => 1n - 4n * digits), 2n, -1n];
    for (const a of integers(-1, 1)) {
      for (const b of integers(-1, 1)) {
        for (const c of integers(-1, 1)) {
          const scores = [a, b, c];
          const best = scores.findIndex((x) => scores.every((y) => x >= y));
          const found = resultsOf({
            gadget,
            inputs: scores,
            candidates: (name) =>
              name === "cWinner" ? winners : name === "cGreatest" ? integers(-14, 14) : DIGITS,
          });
          expect(found, `${scores}`).toEqual([BigInt(best)]);
        }
      }
    }
  });

  it("finds only the product of two sums, and only the sum for its wire", () => {
    const gadget = gadgetOf(2, (circuit, [a, b]) => {
      const product = wireSum(circuit.product("p", a as Sum, b as Sum));
      return wireSum(circuit.wireOf("w", exactly([[3, product]], -2)));
    });
    const found = resultsOf({ gadget, inputs: [3n, -2n], candidates: () => integers(-30, 30) });
    expect(found).toEqual([-20n]);
  });
});

it("writes coefficients of any size and sign as the field has them", () => {
  const circuit = new CircuitBuilder();
  const [x = 0, y = 0] = circuit.take("x", 2);
  const wide = (1n << 200n) + 1n;
  circuit.rows.addLinear({ wires: [x, y], coefficients: [-1, 2 ** 247] }, -wide);
  circuit.rows.addLinear({ wires: [x, y], coefficients: [-(2 ** 52) - 1, 2 ** 40 + 3] }, 5);
  const { constraints } = readR1cs(
    r1csBytes({ ...circuit, rows: circuit.rows, wireCount: 3, publicCount: 1 }),
  );
  expect(constraints.map(({ c }) => c.coefficients)).toEqual([
    [FIELD_ORDER - wide, FIELD_ORDER - 1n, 1n << 247n],
    [5n, FIELD_ORDER - (1n << 52n) - 1n, (1n << 40n) + 3n],
  ]);
});
