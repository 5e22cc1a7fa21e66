import { seededRandom } from "@haca/circuits/mutateWitness";
import { kindOf } from "@haca/model-runtime/integerModel";
import { describe, expect, it } from "vitest";
import type { CircuitBuilder } from "../src/circuit/circuitBuilder.ts";
import { constantSum, exactly, type Sum } from "../src/circuit/sum.ts";
import { pickCircuit } from "../src/kinds/pick.ts";
import { reluCircuit } from "../src/kinds/relu.ts";
import { DIGITS, type Gadget, gadgetOf, integers, NAMES, resultsOf } from "./utils/gadgets.ts";
import { layOutModel } from "./utils/layOutModel.ts";
import { noise, onnxFile } from "./utils/onnxFile.ts";

/** Multiples of two numbers, and a sum of the numbers and a constant whose sign says which of the multiples is picked. */
type SignedPair = { sign: [number, number, number]; factors: [number, number] };

const COARSER: SignedPair = { sign: [0, 1, -1], factors: [1, 1] };
const WEIGHTED: SignedPair = { sign: [0, 1, -1], factors: [2, 3] };

const PICK: Parameters<typeof pickCircuit.addRows>[0]["node"] = {
  ...{ kind: "pick", inputs: ["s", "x"], output: "y" },
  pairs: [[0, 1]],
};

const PICK_RANGES = [-4n, -9n, -9n].map((minimum) => ({ minimum, maximum: -1n - minimum }));

function pickGadget(parameters: {
  pair: SignedPair;
  isOpen?: boolean;
  before?: (built: { circuit: CircuitBuilder; sign: Sum }) => void;
  after?: (built: { circuit: CircuitBuilder; input: Sum[]; picked: Sum }) => Sum;
}): Gadget {
  const { pair, isOpen = false, before, after } = parameters;
  const { factors, sign } = pair;
  return gadgetOf(2, (circuit, sums) => {
    const numbers = sums.map((sum, at) => exactly([[factors[at] as number, sum]]));
    const [ofFirst, ofSecond, constant] = sign;
    const [first = constantSum(0), second = constantSum(0)] = sums;
    const signSum = exactly(
      [
        [ofFirst, first],
        [ofSecond, second],
      ],
      constant,
    );
    before?.({ circuit, sign: signSum });
    const input = [signSum, ...numbers];
    const [picked = constantSum(0)] = pickCircuit.addRows({
      ...{ node: PICK, input, ranges: PICK_RANGES, name: "p", circuit, isOpen },
    });
    return after === undefined ? picked : after({ circuit, input, picked });
  });
}

function pickedOf({ sign, factors }: SignedPair, a: bigint, b: bigint): bigint {
  const [ofFirst, ofSecond, constant] = sign.map(BigInt) as [bigint, bigint, bigint];
  const isSecond = ofFirst * a + ofSecond * b + constant >= 0n;
  return isSecond ? BigInt(factors[1]) * b : BigInt(factors[0]) * a;
}

const pickCandidates = (name: string) =>
  /Out|Difference|Read/.test(name) ? integers(-9, 9) : DIGITS;

describe("a dishonest prover", () => {
  it.each<[string, SignedPair, number]>([
    // digits, the row that they add up in, and the product
    ["that of their difference", { sign: [-1, 1, 0], factors: [1, 1] }, 5],
    ["a coarser one", COARSER, 5],
    // and a wire for the difference, which has weights
    ["a coarser one, of weighted sums", WEIGHTED, 6],
  ])("finds only the one of two numbers that a sign says: %s", (_, pair, rows) => {
    const gadget = pickGadget({ pair });
    expect(gadget.circuit.rows.count).toBe(rows);
    for (const a of integers(0, 3)) {
      for (const b of integers(0, 3)) {
        const found = resultsOf({ gadget, inputs: [a, b], candidates: pickCandidates });
        expect(found, `${a}, ${b}`).toEqual([pickedOf(pair, a, b)]);
      }
    }
  });

  it("finds only what a sign says of two further numbers, by the digits that are there", () => {
    let own = 0;
    const gadget = pickGadget({
      pair: WEIGHTED,
      after: ({ circuit, input }) => {
        own = circuit.rows.count;
        const [sign = constantSum(0), ...numbers] = input;
        const further = numbers.map((sum) => exactly([[-1, sum]], 5));
        return pickCircuit.addRows({
          ...{ node: PICK, input: [sign, ...further], ranges: PICK_RANGES, name: "q", circuit },
        })[0] as Sum;
      },
    });
    // the difference and the product
    expect(gadget.circuit.rows.count - own).toBe(2);
    for (const a of integers(0, 3)) {
      for (const b of integers(0, 3)) {
        const found = resultsOf({ gadget, inputs: [a, b], candidates: pickCandidates });
        expect(found, `${a}, ${b}`).toEqual([5n - pickedOf(WEIGHTED, a, b)]);
      }
    }
  });

  it.each<[string, number, number, number, number]>([
    // the product is in the row of the digits: 4 rows of the sign, then width + 2
    ["of both signs", 0, -3, 3, 9],
    ["of both signs", 1, -3, 2, 9],
    ["never negative, divided", 1, 0, 3, 8],
    ["never negative", 0, 0, 3, 5],
    ["never positive", 0, -3, 0, 5],
  ])(
    "finds only the ReLU of the one that a sign says: %s, by 2^%i",
    (_, shift, least, most, rows) => {
      const relu = { kind: "relu" as const, shift, ...NAMES };
      const gadget = pickGadget({
        pair: COARSER,
        isOpen: true,
        after: ({ circuit, picked }) => {
          const input = [picked];
          const ranges = [{ minimum: BigInt(least), maximum: BigInt(most) }];
          const out = reluCircuit.addRows({ node: relu, input, ranges, name: "r", circuit });
          circuit.requireClosed();
          // what is read is there without its product as well
          return exactly([
            [1, out[0] as Sum],
            [100, input[0] as Sum],
          ]);
        },
      });
      expect(gadget.circuit.rows.count).toBe(rows);
      for (const a of integers(least, most)) {
        for (const b of integers(least, most)) {
          const picked = pickedOf(COARSER, a, b);
          const [expected = 0] = kindOf(relu).compute(relu, [Number(picked)]);
          const found = resultsOf({
            gadget,
            inputs: [a, b],
            candidates: (name) => (name === "rx0Out" ? integers(-9, 9) : pickCandidates(name)),
          });
          expect(found, `${a}, ${b}`).toEqual([BigInt(expected) + 100n * picked]);
        }
      }
    },
  );

  it("takes no digits of another number for those of a sign", () => {
    const gadget = pickGadget({
      pair: COARSER,
      // the same sum, made positive by 3 in place of 4: its top digit is no sign
      before: ({ circuit, sign }) => {
        const digits = circuit.digits("k", exactly([[1, sign]], 3), 3);
        circuit.keepDecomposition(sign, { digits, least: -3 });
      },
    });
    for (const a of integers(0, 3)) {
      for (const b of integers(0, 3)) {
        const found = resultsOf({ gadget, inputs: [a, b], candidates: pickCandidates });
        expect(found, `${a}, ${b}`).toEqual([pickedOf(COARSER, a, b)]);
      }
    }
  });

  it("refuses a circuit in which nobody adds the product that a sum lacks", () => {
    const gadget = pickGadget({ pair: COARSER, isOpen: true });
    expect(() => gadget.circuit.requireClosed()).toThrow("without its product");
  });
});

it("adds the product where a ReLU alone reads what is picked, and is right where it is shown as well", () => {
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const rowsOf = (outputs: string[]): number => {
    const { checker, integerModel, circuit, witnessOf } = layOutModel({
      onnx: onnxFile({
        input: [1, 1, 4, 4],
        nodes: [
          { operator: "Conv", inputs: ["x", "k"], output: "s", attributes: { pads: [1, 1, 0, 0] } },
          { operator: "MaxPool", inputs: ["s"], output: "p", attributes: pool },
          { operator: "Relu", inputs: ["p"], output: "y" },
        ],
        constants: { k: noise([1, 1, 2, 2], 1) },
        outputs,
      }),
      calibration: [1, 2, 3].map((seed) => noise([16], seed).data),
    });
    const { minimum, maximum } = integerModel.input;
    const random = seededRandom(5n);
    for (let sample = 0; sample < 20; sample++) {
      const input = Array.from(
        { length: 16 },
        () => BigInt(minimum) + random(BigInt(maximum - minimum + 1)),
      );
      expect(checker.firstViolated(witnessOf(input))).toBe(undefined);
    }
    return circuit.rows.count;
  };
  // a row for each of four windows, one for the word, and those of the scale that all that is shown has
  expect(rowsOf(["p", "y"])).toBeGreaterThanOrEqual(rowsOf(["y"]) + 4);
});
