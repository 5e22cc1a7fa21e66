import { FIELD_ORDER, toField } from "@haca/circuits/field";
import { mutableWires, mutateWitness, seededRandom } from "@haca/circuits/mutateWitness";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { computeIntegerValues, runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness, type WitnessSignals } from "@haca/model-runtime/witness/computeWitness";
import {
  elementPositions,
  packWords,
  type TensorLayout,
  unpackWords,
  wordCount,
} from "@haca/protocol/packedWords";
import { beforeAll, describe, expect, it } from "vitest";
import { readDigits } from "./utils/digits.ts";
import { CONTEXT, type LaidOutModel, layOutModel, wireValues } from "./utils/layOutModel.ts";
import { MODELS } from "./utils/models.ts";
import { multilayerPerceptron, noise, onnxFile } from "./utils/onnxFile.ts";

const isDeep = process.env.HACA_DEEP !== undefined;

const digits = readDigits();

describe.each(MODELS)("$title", (model) => {
  let circuit: LaidOutModel;
  let inputs: bigint[][];
  beforeAll(() => {
    circuit = layOutModel(model);
    const { layout, minimum, maximum } = circuit.tensors.input;
    const random = seededRandom(99n);
    const size = BigInt(maximum - minimum + 1);
    const at = (value: (index: number) => number) =>
      Array.from({ length: layout.count }, (_, index) => BigInt(value(index)));
    inputs = [
      at(() => minimum),
      at(() => maximum),
      at((index) => (index % 2 === 0 ? minimum : maximum)),
      at(() => minimum + Number(random(size))),
      at(() => minimum + Number(random(size))),
    ];
  });

  it("keeps every value within its computed bounds", () => {
    const { integerModel, bounds } = circuit;
    for (const input of inputs) {
      for (const [value, elements] of computeIntegerValues({ integerModel, input })) {
        for (const [index, element] of elements.entries()) {
          const range = bounds.get(value)?.[index];
          expect(BigInt(element)).toBeGreaterThanOrEqual(range?.minimum ?? 1n);
          expect(BigInt(element)).toBeLessThanOrEqual(range?.maximum ?? -1n);
        }
      }
    }
  });

  it("gives every wire, public signals among them, a place in the constraints", () => {
    const { r1cs, checker } = circuit;
    for (let wire = 1; wire < r1cs.wireCount; wire++) {
      expect(checker.constraintsOf(wire).length, `wire ${wire}`).toBeGreaterThan(0);
    }
  });

  it("has no witness for a wrong output", () => {
    const { integerModel, tensors } = circuit;
    const layouts = tensors.outputs.map(({ layout }) => layout);
    const random = seededRandom(11n);
    for (const input of inputs) {
      const outputs = runIntegerModel({ integerModel, input });
      const honest = circuitInput({ manifest: tensors, input, outputs, context: CONTEXT });
      const claimed = honest.signals.outputWords as string[];
      for (const [index, word] of claimed.entries()) {
        const others = [1n, -1n, 1n << 200n, random(FIELD_ORDER)].map((by) =>
          toField(BigInt(word) + by),
        );
        for (const other of others) {
          const outputWords = claimed.with(index, String(other));
          expect(() => calculate(circuit, { ...honest.signals, outputWords })).toThrow(
            expect.objectContaining({ code: "witness.unsatisfiable" }),
          );
        }
      }
      // swapped label or score, well-formed otherwise
      const integers = unpackWords({ layouts, words: claimed.map(BigInt) }).flat();
      for (let index = 0; index < integers.length; index++) {
        const wrong = integers.with(index, (integers[index] as bigint) === 0n ? 1n : 0n);
        const outputWords = packWords({ layouts, integers: wrong }).map(String);
        expect(() => calculate(circuit, { ...honest.signals, outputWords })).toThrow(
          expect.objectContaining({ code: "witness.unsatisfiable" }),
        );
      }
    }
  });

  it("has no witness for an element outside the input's range", () => {
    const { tensors, integerModel } = circuit;
    const { layout, minimum, maximum } = tensors.input;
    const input = inputs[3] as bigint[];
    // the words that such an element leads to, so that only the circuit's own checks are in the way
    const unchecked = { ...integerModel.input, minimum: -(2 ** 22), maximum: 2 ** 22 };
    const outputLayouts = tensors.outputs.map((output) => output.layout);
    const offset = layout.isSigned ? 1n << BigInt(layout.bits - 1) : 0n;
    const greatest = (1n << BigInt(layout.bits)) - 1n - offset;
    const outside = [BigInt(minimum) - 1n, BigInt(maximum) + 1n, greatest + 1n, -offset - 1n];
    for (let value = BigInt(maximum) + 1n; value <= greatest; value++) {
      outside.push(value);
    }
    for (const value of outside) {
      for (const index of [0, layout.count - 1]) {
        const integers = input.with(index, value);
        const outputs = runIntegerModel({
          integerModel: { ...integerModel, input: unchecked },
          input: integers,
        });
        const signals = {
          inputWords: packAnyway({ layouts: [layout], integers }),
          outputWords: packAnyway({ layouts: outputLayouts, integers: outputs.flat() }),
          context: String(CONTEXT),
          elements: integers.map((integer) => String(toField(integer + offset))),
        };
        expect(() => calculate(circuit, signals), `${value}`).toThrow(
          expect.objectContaining({ code: "witness.unsatisfiable" }),
        );
      }
    }
  });

  it("reads an element plus the field's order as that element: no second meaning", () => {
    const input = inputs[4] as bigint[];
    const { tensors, integerModel } = circuit;
    const outputs = runIntegerModel({ integerModel, input });
    const { signals } = circuitInput({ manifest: tensors, input, outputs, context: CONTEXT });
    const elements = (signals.elements as string[]).map((x) => String(BigInt(x) + FIELD_ORDER));
    expect(calculate(circuit, { ...signals, elements })).toEqual(circuit.witnessOf(input));
    const shifted = input.with(0, (input[0] as bigint) + FIELD_ORDER);
    expect(() => circuitInput({ manifest: tensors, input: shifted, outputs, context: 0n })).toThrow(
      expect.objectContaining({ code: "input.outOfRange" }),
    );
  });
});

/** The witness that a model's plan computes from any signals. */
function calculate({ circuit }: LaidOutModel, signals: WitnessSignals): bigint[] {
  return wireValues(computeWitness({ plan: circuit.plan, signals }));
}

/** Words of integers that need not fit their width. */
function packAnyway(parameters: { layouts: TensorLayout[]; integers: bigint[] }): string[] {
  const { layouts, integers } = parameters;
  const words = new Array<bigint>(wordCount(layouts)).fill(0n);
  for (const [index, { word, shift, bits, isSigned }] of elementPositions(layouts).entries()) {
    const raw = (integers[index] as bigint) + (isSigned ? 1n << BigInt(bits - 1) : 0n);
    words[word] = (words[word] as bigint) + (raw << BigInt(shift));
  }
  return words.map((word) => String(toField(word)));
}

describe.runIf(isDeep)("a perceptron of MNIST's size, 784-64-10", () => {
  it("has no loose wire among a sample", () => {
    const circuit = layOutModel({
      onnx: multilayerPerceptron({ inputs: 784, hidden: 64, classes: 10 }),
      calibration: [noise([784], 1).data, noise([784], 2).data],
      options: { input: { minimum: 0, maximum: 255, scaleExponent: -8 } },
    });
    const { r1cs, checker } = circuit;
    const random = seededRandom(3n);
    const input = Array.from({ length: 784 }, () => random(256n));
    const witness = circuit.witnessOf(input);
    expect(checker.firstViolated(witness)).toBe(undefined);
    const wires = mutableWires(r1cs).filter(() => random(8n) === 0n);
    expect(mutateWitness({ r1cs, checker, witness, random, wires, groups: 200 })).toEqual([]);
  });
});

describe("ties", () => {
  it("go to the lowest index, in the reference and in the circuit", () => {
    const scores = { shape: [1, 4], data: [1, 2, 2, 2] };
    const circuit = layOutModel({
      onnx: onnxFile({
        input: [1, 1],
        nodes: [
          { operator: "MatMul", inputs: ["x", "w"], output: "y" },
          { operator: "ArgMax", inputs: ["y"], output: "label", attributes: { axis: 1 } },
        ],
        constants: { w: scores },
        outputs: { y: 1, label: 7 },
      }),
      calibration: [[-3], [3]],
    });
    const { integerModel, tensors } = circuit;
    for (const [x, label] of [
      [2n, 1n],
      [0n, 0n],
      [-2n, 0n],
    ] as const) {
      const outputs = runIntegerModel({ integerModel, input: [x] });
      expect(outputs[1]).toEqual([label]);
      expect(circuit.checker.firstViolated(circuit.witnessOf([x]))).toBe(undefined);
      const wrong = [outputs[0] as bigint[], [label + 1n]];
      const { signals } = circuitInput({
        manifest: tensors,
        input: [x],
        outputs: wrong,
        context: 1n,
      });
      expect(() => calculate(circuit, signals)).toThrow(
        expect.objectContaining({ code: "witness.unsatisfiable" }),
      );
    }
  });
});

describe("digits", () => {
  it("agrees between reference, witness and words on 100 test images, and keeps its accuracy", () => {
    const circuit = layOutModel({ onnx: digits.onnx, calibration: digits.calibration });
    const { integerModel, tensors, r1cs } = circuit;
    let right = 0;
    for (const [index, image] of digits.images.entries()) {
      const input = image.map(BigInt);
      const outputs = runIntegerModel({ integerModel, input });
      right += outputs[1]?.[0] === BigInt(digits.labels[index] as number) ? 1 : 0;
      if (index < 100 || isDeep) {
        const witness = circuit.witnessOf(input);
        const words = witness.slice(1, 1 + r1cs.publicInputCount);
        const layouts = tensors.outputs.map(({ layout }) => layout);
        expect(unpackWords({ layouts, words: words.slice(2, 3) })).toEqual(outputs);
      }
    }
    expect(right / digits.images.length).toBeGreaterThan(0.95);
    expect(r1cs.publicInputCount).toBe(4);
    expect(tensors.outputs.map(({ layout }) => layout.bits)).toEqual([20, 4]);
  });
});
