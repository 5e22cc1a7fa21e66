import { describe, expect, it } from "vitest";
import { certifyDeterminism } from "../src/circuit/certifyDeterminism.ts";
import { certifyNoWrap, type WireRanges } from "../src/circuit/certifyNoWrap.ts";
import { type Choice, CircuitBuilder, type Rank } from "../src/circuit/circuitBuilder.ts";
import { digitSum, exactly, type Sum, wireSum } from "../src/circuit/sum.ts";

/** A word, the context, and two digits of the word; `add` adds what is to be certified. Returns the ranges of all wires. */
function certify(
  add: (parameters: { circuit: CircuitBuilder; digits: [number, number] }) => void,
  changeChoice: (choice: Choice) => Choice = (choice) => choice,
  changeRank: (rank: Rank) => Rank = (rank) => rank,
): WireRanges {
  const circuit = new CircuitBuilder();
  const [word = 0] = circuit.take("inputWords", 1);
  const [context = 0] = circuit.take("context", 1, false);
  const [square = 0] = circuit.take("contextSquare", 1, false);
  circuit.rows.add({ a: wireSum(context), b: wireSum(context), c: wireSum(square) });
  const [low = 0, high = 0] = circuit.digits("d", wireSum(word), 2);
  add({ circuit, digits: [low, high] });
  const parts = {
    rows: circuit.rows,
    wireCount: circuit.wireCount,
    givenWords: [word],
    publicCount: 2,
    choices: circuit.choices.map(changeChoice),
    ranks: circuit.ranks.map(changeRank),
    systems: circuit.systems,
    fieldWires: circuit.fieldWires,
    blocks: circuit.blocks,
  };
  const ranges = certifyNoWrap(parts);
  certifyDeterminism({ ...parts, ranges });
  return ranges;
}

/** The range of a wire, from least to most. */
const rangeOf = ({ minimum, maximum }: WireRanges, wire: number) => [minimum[wire], maximum[wire]];

const code = (reason: string) => expect.objectContaining({ code: `certificate.${reason}` });

describe("certificates", () => {
  it("are given to each rule's own rows", () => {
    certify(({ circuit, digits: [low, high] }) => {
      const sum = exactly(
        [
          [3, wireSum(low)],
          [-5, wireSum(high)],
        ],
        7,
      );
      circuit.wireOf("w", sum);
      circuit.product("p", wireSum(low), digitSum([low, high]));
      circuit.product("q", wireSum(high), wireSum(low), sum);
      circuit.digits("e", sum, 4);
      circuit.digits("f", sum, 4, { a: wireSum(low), b: wireSum(high) });
      circuit.choice("c", [sum, wireSum(low)], 5);
      circuit.rank("r", sum, [3, 5, 9], { minimum: 2, maximum: 10 });
    });
  });

  it("refuse a wire that no row reads", () => {
    expect(() => certify(({ circuit }) => circuit.take("loose", 1))).toThrow(code("undetermined"));
  });

  it("refuse digits of which one is not 0 or 1", () => {
    const withoutRow = ({
      circuit,
      digits: [low],
    }: {
      circuit: CircuitBuilder;
      digits: [number, number];
    }) => {
      const [first = 0, second = 0] = circuit.take("e", 2);
      circuit.requireBoolean(first);
      circuit.requireZero(
        exactly([
          [3, wireSum(low)],
          [-1, digitSum([first, second])],
        ]),
      );
    };
    expect(() => certify(withoutRow)).toThrow(code("rangeUnknown"));
  });

  it("refuse digits that overlap: another set of them is the same number", () => {
    const overlap = ({
      circuit,
      digits: [low],
    }: {
      circuit: CircuitBuilder;
      digits: [number, number];
    }) => {
      const digits = circuit.take("e", 3);
      for (const digit of digits) circuit.requireBoolean(digit);
      const sum: Sum = { wires: digits, coefficients: [1, 2, 2], constant: 0 };
      circuit.requireZero(
        exactly([
          [3, wireSum(low)],
          [-1, sum],
        ]),
      );
    };
    expect(() => certify(overlap)).toThrow(code("undetermined"));
  });

  it.each<[string, Sum, string]>([
    ["twice a wire", { wires: [10], coefficients: [2], constant: 0 }, "rangeUnknown"],
    ["two wires", { wires: [10, 11], coefficients: [1, -1], constant: 0 }, "rangeUnknown"],
    [
      "a wire and what is exact in no double",
      { wires: [4, 10], coefficients: [2 ** 53, 1], constant: 0 },
      "inexact",
    ],
    [
      "a wire and what wraps",
      { wires: [1, 10], coefficients: [2 ** 251, 1], constant: 0 },
      "wraps",
    ],
  ])("refuse a product that is %s", (_, c, reason) => {
    expect(() =>
      certify(({ circuit, digits: [low, high] }) => {
        circuit.take("e", 12 - circuit.wireCount);
        circuit.rows.add({ a: wireSum(low), b: wireSum(high), c });
      }),
    ).toThrow(code(reason));
  });

  it("refuse digits that overlap in the row of a product, and digits of one whose factor follows from them", () => {
    const inProduct = (coefficients: number[], isKnown: boolean) => () =>
      certify(({ circuit, digits: [low, high] }) => {
        const digits = circuit.take("e", 3);
        for (const digit of digits) circuit.requireBoolean(digit);
        const [factor = 0] = circuit.take("factor", 1);
        circuit.requireBoolean(factor);
        circuit.rows.add({
          a: wireSum(low),
          b: wireSum(factor),
          c: { wires: digits, coefficients },
        });
        // the first digit's own: 0 and 1 would do
        circuit.requireZero(
          exactly([
            [1, wireSum(factor)],
            [-1, wireSum(isKnown ? high : (digits[0] as number))],
          ]),
        );
      });
    expect(inProduct([1, 2, 4], true)).not.toThrow();
    expect(inProduct([1, 2, 2], true)).toThrow(code("undetermined"));
    expect(inProduct([1, 2, 4], false)).toThrow(code("undetermined"));
  });

  it("refuse a hint where nothing pins it: an inverse of what can be 0", () => {
    expect(() =>
      certify(({ circuit, digits: [low] }) => {
        const [inverse = 0] = circuit.take("inverse", 1, false);
        circuit.requireBoolean(inverse);
        circuit.rows.add({ a: wireSum(low), b: wireSum(inverse), c: wireSum(low) });
      }),
    ).toThrow(code("undetermined"));
  });

  it("refuse a limit that rests on a wire which is not 0 or 1", () => {
    expect(() =>
      certify(({ circuit, digits: [low, high] }) => {
        const wide = circuit.wireOf("wide", digitSum([low, high]));
        const [digit = 0] = circuit.take("e", 1);
        circuit.rows.add({
          a: wireSum(digit),
          b: { wires: [0, wide, digit], coefficients: [1, -1, -1] },
        });
      }),
    ).toThrow(code("rangeUnknown"));
  });

  it("refuse a row that can wrap the field", () => {
    expect(() =>
      certify(({ circuit, digits: [low] }) => {
        // 2^126 * 2^126 on public wires, so that only the field is in the way
        circuit.rows.add({
          a: { wires: [low], coefficients: [2 ** 126] },
          b: { wires: [low], coefficients: [2 ** 126] },
          c: wireSum(low),
        });
      }),
    ).toThrow(code("wraps"));
  });

  it("refuse a sum that is exact in no double: the witness would be wrong", () => {
    expect(() =>
      certify(({ circuit, digits: [low] }) =>
        circuit.wireOf("w", exactly([[2 ** 53, wireSum(low)]])),
      ),
    ).toThrow(code("inexact"));
  });

  it("refuse a weight in a product", () => {
    expect(() =>
      certify(({ circuit, digits: [low, high] }) => {
        circuit.product("p", exactly([[3, wireSum(low)]]), wireSum(high));
      }),
    ).toThrow(code("weightInProduct"));
  });

  it("refuse another row that reads the context's square", () => {
    expect(() =>
      certify(({ circuit }) => {
        circuit.requireZero(
          exactly([
            [1, wireSum(3)],
            [-1, wireSum(1)],
          ]),
        );
      }),
    ).toThrow(code("rangeUnknown"));
  });
});

it.each([
  // between 2 and 5 without the product, which is 0 or 1
  [1, [-5, -1]],
  [-1, [1, 5]],
])("a row of a product bounds its one wire of coefficient %i", (coefficient, expected) => {
  let wire = 0;
  const ranges = certify(({ circuit, digits: [low, high] }) => {
    [wire = 0] = circuit.take("e", 1);
    const c = { wires: [0, low, high, wire], coefficients: [2, 1, 2, coefficient] };
    circuit.rows.add({ a: wireSum(low), b: wireSum(high), c });
  });
  expect(rangeOf(ranges, wire)).toEqual(expected);
});

describe("a rank", () => {
  type Built = { circuit: CircuitBuilder; digits: [number, number] };
  const starts = [1, 2, 3];
  const rank = ({ circuit, digits }: Built, chosen = starts) =>
    circuit.rank("r", digitSum(digits), chosen, { minimum: 0, maximum: 3 });

  it.each<[string, (rank: Rank) => Rank]>([
    ["with its places exchanged for digits", (one) => ({ ...one, places: one.above })],
    ["without a place", (one) => ({ ...one, places: one.places.slice(1) })],
    ["with its sides exchanged", (one) => ({ ...one, above: one.short, short: one.above })],
    ["whose distance rows are exchanged", (one) => ({ ...one, aboveRow: one.shortRow })],
    ["whose total row is another", (one) => ({ ...one, totalRow: one.aboveRow })],
    ["with a digit less", (one) => ({ ...one, above: one.above.slice(1) })],
  ])("%s has no certificate", (_, change) => {
    expect(() => certify(rank, undefined, change)).toThrow(code("rank"));
  });

  it.each([1, -1])("bounds the wire that it ranks, times %i, which no other row does", (sign) => {
    let wire = 0;
    const ranked = (withRank: boolean) => () =>
      certify(({ circuit, digits: [low, high] }) => {
        wire = circuit.unrangedWire("e", { wires: [low, high], coefficients: [1, 2], constant: 0 });
        const sum = exactly([[sign, wireSum(wire)]]);
        const [minimum, maximum] = sign > 0 ? [0, 6] : [-6, 0];
        if (withRank) circuit.rank("r", sum, sign > 0 ? [2, 3] : [-4, -1], { minimum, maximum });
        // as elements are packed: 8 times it, beside a number below 7
        circuit.requireZero(
          exactly([
            [8, wireSum(wire)],
            [1, wireSum(low)],
            [-1, wireSum(circuit.take("word", 1)[0] as number)],
          ]),
        );
        circuit.requireZero(
          exactly([
            [1, wireSum(wire)],
            [-1, digitSum([low, high])],
          ]),
        );
      });
    expect(rangeOf(ranked(true)(), wire)).toEqual([0, 6]);
    expect(ranked(false)).toThrow(code("rangeUnknown"));
  });

  it("bounds none of two wires whose sum it ranks", () => {
    let first = 0;
    const ranges = certify((built) => {
      rank(built);
      [first] = built.digits;
    });
    expect(rangeOf(ranges, first)).toEqual([0, 1]);
  });

  it("has none where two intervals overlap: the number says no place", () => {
    expect(() => certify((built) => rank(built, [1, 3, 2]))).toThrow(code("rank"));
  });

  it("has none where two intervals share a number", () => {
    expect(() =>
      certify(({ circuit, digits: [low, high] }) => {
        const sum = digitSum([low, high]);
        const [place = 0] = circuit.take("place", 1);
        circuit.requireBoolean(place);
        const b = { wires: [0, place], coefficients: [-1, 1] };
        const totalRow = circuit.rows.add({ a: wireSum(place), b });
        // from 2 at the place, and up to 2 without it
        const start = exactly([[2, wireSum(place)]]);
        const end = exactly([[1, wireSum(place)]], 2);
        const part = (name: string, from: Sum, to: Sum) =>
          circuit.digits(
            name,
            exactly([
              [1, to],
              [-1, from],
            ]),
            2,
          );
        const above = part("above", start, sum);
        const aboveRow = circuit.rows.count - 1;
        const short = part("short", sum, end);
        const shortRow = circuit.rows.count - 1;
        circuit.ranks.push({ places: [place], above, short, totalRow, aboveRow, shortRow });
      }),
    ).toThrow(code("rank"));
  });

  it("has none where more than one place can be taken", () => {
    expect(() =>
      certify((built) => {
        rank(built);
        const { circuit } = built;
        const [made] = circuit.ranks.splice(0) as [Rank];
        // a row that says nothing in place of the one that counts them
        const totalRow = circuit.rows.add({ a: wireSum(made.places[0] as number), b: wireSum(0) });
        circuit.ranks.push({ ...made, totalRow });
      }),
    ).toThrow(expect.objectContaining({ code: expect.stringMatching(/^certificate\./) }));
  });
});

describe("a choice", () => {
  const twoSums = ({
    circuit,
    digits: [low, high],
  }: {
    circuit: CircuitBuilder;
    digits: [number, number];
  }) => {
    circuit.choice("c", [wireSum(low), wireSum(high)], 2);
  };

  it.each<[string, (choice: Choice) => Choice]>([
    [
      "whose sum row is another",
      (choice) => ({ ...choice, sumRow: choice.differenceRows[0] as number }),
    ],
    [
      "with its differences exchanged",
      (choice) => ({ ...choice, differenceRows: choice.differenceRows.toReversed() }),
    ],
    [
      "with its rows exchanged",
      (choice) => ({ ...choice, choiceRows: choice.choiceRows.toReversed() }),
    ],
    [
      "with its winners exchanged",
      (choice) => ({ ...choice, winners: choice.winners.toReversed() }),
    ],
    ["with another greatest", (choice) => ({ ...choice, greatest: 4 })],
  ])("%s has no certificate", (_, change) => {
    expect(() => certify(twoSums, change)).toThrow(code("choice"));
  });

  it("has none where its factor does not exceed the number of sums", () => {
    expect(() =>
      certify(({ circuit, digits: [low, high] }) => {
        const sums = [wireSum(low), wireSum(high)];
        const winners = circuit.take("w", 2);
        const [greatest = 0] = circuit.take("g", 1, false);
        const [differenceRows, choiceRows]: [number[], number[]] = [[], []];
        for (const [index, winner] of winners.entries()) {
          const before = winners.slice(0, index + 1).map((w) => [1, wireSum(w)] as const);
          const digits = circuit.digits(
            `d${index}`,
            exactly([[1, wireSum(greatest)], [-1, sums[index] as Sum], ...before], -1),
            2,
          );
          differenceRows.push(circuit.rows.count - 1);
          // 2 is not greater than the number of sums
          const rest = exactly([
            [-1, wireSum(winner)],
            [-2, digitSum(digits)],
          ]);
          const b = { wires: [0, ...rest.wires], coefficients: [1, ...rest.coefficients] };
          choiceRows.push(circuit.rows.add({ a: wireSum(winner), b }));
        }
        const all = exactly(
          winners.map((w) => [1, wireSum(w)] as const),
          -1,
        );
        const sumRow = circuit.requireZero(all);
        circuit.choices.push({ winners, greatest, sumRow, differenceRows, choiceRows });
      }),
    ).toThrow(code("choice"));
  });
});
