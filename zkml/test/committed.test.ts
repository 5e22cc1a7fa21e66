import { mutateWitness, seededRandom } from "@haca/circuits/mutateWitness";
import { computeIntegerValues, runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan, encodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { commitInput } from "@haca/protocol/inputCommitment";
import type { CommittedMode } from "@haca/protocol/inputMode";
import { packWords } from "@haca/protocol/packedWords";
import { beforeAll, describe, expect, it } from "vitest";
import { invertMatrix } from "../src/circuit/fieldMatrix.ts";
import { certifyCircuit } from "../src/constrain/certifyCircuit.ts";
import { layOutCircuit } from "../src/constrain/layOutCircuit.ts";
import { CONTEXT, type LaidOutModel, layOutModel, r1csBytes, SALT } from "./utils/layOutModel.ts";
import { COMMITTED, type TestModel } from "./utils/models.ts";
import { multilayerPerceptron, noise } from "./utils/onnxFile.ts";

const unsatisfiable = expect.objectContaining({ code: "witness.unsatisfiable" });
const certificate = (reason: string) => expect.objectContaining({ code: `certificate.${reason}` });

describe.each(COMMITTED)("$title", (model: TestModel) => {
  const mode = model.inputMode as CommittedMode;
  let laidOut: LaidOutModel;
  let input: bigint[];
  let words: bigint[];
  beforeAll(() => {
    laidOut = layOutModel(model);
    const { layout, minimum, maximum } = laidOut.tensors.input;
    const random = seededRandom(5n);
    input = Array.from(
      { length: layout.count },
      () => BigInt(minimum) + random(BigInt(maximum - minimum + 1)),
    );
    words = packWords({ layouts: [layout], integers: input });
  });
  const salt = mode === "salted" ? { salt: SALT } : {};

  it("shows one commitment in place of the words, and what the integer model says of them", () => {
    const { checker, integerModel, r1cs, tensors } = laidOut;
    const witness = laidOut.witnessOf(input);
    expect(checker.firstViolated(witness)).toBe(undefined);
    const integers = runIntegerModel({ integerModel, input }).flat();
    const layouts = tensors.outputs.map(({ layout }) => layout);
    const outputWords = packWords({ layouts, integers });
    expect(witness.slice(1, 1 + r1cs.publicInputCount)).toEqual([
      commitInput({ mode, words, ...salt }),
      ...outputWords,
      CONTEXT,
    ]);
    expect(computeIntegerValues({ integerModel, input }).size).toBeGreaterThan(1);
  });

  it("has both certificates, and none without the rows that determine a round's elements together", () => {
    const { circuit } = laidOut;
    expect(() => certifyCircuit(circuit)).not.toThrow();
    const { systems } = circuit;
    for (const changed of [[], systems.slice(1), systems.slice(0, -1)]) {
      expect(() => certifyCircuit({ ...circuit, systems: changed })).toThrow(
        certificate("undetermined"),
      );
    }
    // a row twice: fewer equations than elements
    const [first = [], ...rest] = systems;
    const twice = [first.at(-1) as number, ...first.slice(1)];
    expect(() => certifyCircuit({ ...circuit, systems: [twice, ...rest] })).toThrow(
      certificate("undetermined"),
    );
  });

  it("has no certificate where a value of the model is taken for one of the field", () => {
    const { circuit } = laidOut;
    const [word = 0] = circuit.givenWords;
    for (const wire of [
      word,
      circuit.publicCount,
      circuit.publicCount - 1,
      circuit.wireCount - 1,
    ]) {
      const fieldWires = new Set([...circuit.fieldWires, wire]);
      expect(() => certifyCircuit({ ...circuit, fieldWires }), `wire ${wire}`).toThrow(
        certificate("fieldRow"),
      );
    }
    // nor where one of the field is taken for an integer
    const [, second = 0, ...others] = [...circuit.fieldWires];
    expect(() => certifyCircuit({ ...circuit, fieldWires: new Set([second, ...others]) })).toThrow(
      certificate("fieldRow"),
    );
  });

  it("notices every change of a wire, alone and in groups, and of every public signal", () => {
    const { checker, r1cs } = laidOut;
    const witness = laidOut.witnessOf(input);
    const random = seededRandom(13n);
    expect(mutateWitness({ r1cs, checker, witness, random, groups: 200 })).toEqual([]);
    for (let wire = 1; wire <= r1cs.publicInputCount; wire++) {
      const changes = new Map([[wire, (witness[wire] as bigint) + 1n]]);
      expect(checker.breaks({ witness, changes }), `public signal ${wire}`).toBe(true);
    }
  });

  it("has no witness for another commitment, other words or another salt", () => {
    const { plan } = laidOut.circuit;
    const signals = laidOut.signalsOf(input);
    expect(() => computeWitness({ plan, signals })).not.toThrow();
    const [commitment = ""] = signals.commitment as string[];
    const inputWords = signals.inputWords as string[];
    const changes = [
      { commitment: String(BigInt(commitment) + 1n) },
      { inputWords: inputWords.with(0, String(BigInt(inputWords[0] as string) + 1n)) },
      ...(mode === "salted" ? [{ salt: String(SALT + 1n) }, { salt: "7" }] : []),
    ];
    for (const change of changes) {
      expect(() => computeWitness({ plan, signals: { ...signals, ...change } })).toThrow(
        unsatisfiable,
      );
    }
    const withOther = { ...signals, salt: mode === "salted" ? [] : ["1"] };
    expect(() => computeWitness({ plan, signals: withOther })).toThrow(/^salt has [01] elements/);
  });

  it("is the same bytes every time, and its plan survives its file", () => {
    const { bounds, circuit, integerModel } = laidOut;
    const again = layOutCircuit({ integerModel, bounds, inputMode: mode });
    expect(r1csBytes(again).equals(r1csBytes(circuit))).toBe(true);
    const plan = decodeWitnessPlan(encodeWitnessPlan(circuit.plan));
    const signals = laidOut.signalsOf(input);
    expect(computeWitness({ plan, signals })).toEqual(
      computeWitness({ plan: circuit.plan, signals }),
    );
  });
});

describe("784 elements of a byte, 26 words", () => {
  it("take 1,120 rows more than packed ones, salted or not", () => {
    const model = {
      onnx: multilayerPerceptron({ inputs: 784, hidden: 2, classes: 2 }),
      calibration: [noise([784], 1).data],
      options: { input: { minimum: 0, maximum: 255, scaleExponent: -8 } },
    };
    const { bounds, circuit, integerModel } = layOutModel(model);
    expect(circuit.publicCount).toBe(28);
    for (const inputMode of ["committed", "salted"] as const) {
      const hidden = layOutCircuit({ integerModel, bounds, inputMode });
      const rows = [hidden, circuit].map((one) => one.rows.count + one.substituted);
      expect((rows[0] as number) - (rows[1] as number)).toBe(1120);
      expect(hidden.publicCount).toBe(3);
      certifyCircuit(hidden);
    }
  });
});

describe("invertMatrix", () => {
  it("inverts what has an inverse, also where a pivot is 0, and nothing else", () => {
    const matrix = [
      [0n, 2n, 5n],
      [1n, -1n, 4n],
      [3n, 0n, 0n],
    ];
    const inverse = invertMatrix(matrix);
    expect(
      invertMatrix(inverse ?? [])?.map((row) => row.map((x) => (x > 2n ** 200n ? -1n : x))),
    ).toEqual(matrix);
    expect(invertMatrix([...matrix.slice(1), [4n, -1n, 4n]])).toBe(undefined);
  });
});
