import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mutateWitness, seededRandom } from "@haca/circuits/mutateWitness";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { computeIntegerValues, runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeBounds } from "@haca/model-runtime/tensors";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan, encodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { packWords } from "@haca/protocol/packedWords";
import { groth16 } from "snarkjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeR1cs } from "../src/circuit/writeR1cs.ts";
import { certifyCircuit } from "../src/constrain/certifyCircuit.ts";
import { layOutCircuit } from "../src/constrain/layOutCircuit.ts";
import { runFloatModel } from "../src/kinds/graph.ts";
import { ensurePtau } from "../src/setup/developmentPtau.ts";
import { setUpKeys } from "../src/setup/setUpKeys.ts";
import { releaseCurve } from "../src/setup/snarkjsResources.ts";
import { CONTEXT, type LaidOutModel, layOutModel, r1csBytes } from "./utils/layOutModel.ts";
import { MODELS, SUBSTITUTED, type TestModel } from "./utils/models.ts";
import {
  forest,
  lenet,
  multilayerPerceptron,
  noise,
  onnxFile,
  type TestNode,
} from "./utils/onnxFile.ts";

const GROUPS = process.env.HACA_DEEP === undefined ? 300 : 20_000;

const unsatisfiable = expect.objectContaining({ code: "witness.unsatisfiable" });

describe.each([...MODELS, SUBSTITUTED])("$title", (model) => {
  let laidOut: LaidOutModel;
  let inputs: bigint[][];
  beforeAll(() => {
    laidOut = layOutModel(model);
    const { layout, minimum, maximum } = laidOut.tensors.input;
    const random = seededRandom(7n);
    const at = (value: (index: number) => number) =>
      Array.from({ length: layout.count }, (_, index) => BigInt(value(index)));
    const any = () => minimum + Number(random(BigInt(maximum - minimum + 1)));
    inputs = [at(() => minimum), at(() => maximum), at(any), at(any), at(any)];
  });

  it("has both certificates", () => {
    expect(() => certifyCircuit(laidOut.circuit)).not.toThrow();
  });

  it("is what the integer reference computes, in every value and every word", () => {
    const { integerModel, tensors, circuit, r1cs, checker } = laidOut;
    let compared = 0;
    for (const input of inputs) {
      const witness = laidOut.witnessOf(input);
      expect(checker.firstViolated(witness)).toBe(undefined);
      for (const [value, elements] of computeIntegerValues({ integerModel, input })) {
        for (const [index, element] of elements.entries()) {
          const sum = circuit.values.get(value)?.[index];
          let actual = BigInt(sum?.constant ?? Number.NaN);
          for (const [position, wire] of (sum?.wires ?? []).entries()) {
            actual += BigInt(sum?.coefficients[position] ?? 0) * (witness[wire] as bigint);
          }
          expect(actual, `${value}[${index}]`).toBe(BigInt(element));
          compared += 1;
        }
      }
      const outputs = runIntegerModel({ integerModel, input });
      const layouts = tensors.outputs.map(({ layout }) => layout);
      expect(witness.slice(1, 1 + r1cs.publicInputCount)).toEqual([
        ...packWords({ layouts: [tensors.input.layout], integers: input }),
        ...packWords({ layouts, integers: outputs.flat() }),
        CONTEXT,
      ]);
    }
    expect(compared).toBeGreaterThan(0);
  });

  it("notices every change of a wire, alone and in groups, and of every public signal", () => {
    const { r1cs, checker } = laidOut;
    const witness = laidOut.witnessOf(inputs[3] as bigint[]);
    const random = seededRandom(11n);
    expect(mutateWitness({ r1cs, checker, witness, random, groups: GROUPS })).toEqual([]);
    for (let wire = 1; wire <= r1cs.publicInputCount; wire++) {
      const changes = new Map([[wire, (witness[wire] as bigint) + 1n]]);
      expect(checker.breaks({ witness, changes }), `public signal ${wire}`).toBe(true);
    }
  });

  it("has no witness for an element out of range, nor for words that are not its own", () => {
    const { circuit, tensors } = laidOut;
    const signals = laidOut.signalsOf(inputs[4] as bigint[]);
    const { plan } = circuit;
    for (const name of ["inputWords", "outputWords"]) {
      const words = signals[name] as string[];
      for (const [index, word] of words.entries()) {
        const wrong = words.with(index, String(BigInt(word) + 1n));
        expect(() => computeWitness({ plan, signals: { ...signals, [name]: wrong } })).toThrow(
          unsatisfiable,
        );
      }
    }
    const { layout, minimum, maximum } = tensors.input;
    const offset = layout.isSigned ? 2 ** (layout.bits - 1) : 0;
    const [word = ""] = signals.inputWords as string[];
    const elements = signals.elements as string[];
    for (const value of [minimum - 1, maximum + 1, 2 ** 200]) {
      // the word that such an element packs to, so that only its range is in the way
      const shift = BigInt(value) + BigInt(offset) - BigInt(elements[0] as string);
      const inputWords = (signals.inputWords as string[]).with(0, String(BigInt(word) + shift));
      const wrong = elements.with(0, String(BigInt(value) + BigInt(offset)));
      expect(() =>
        computeWitness({ plan, signals: { ...signals, inputWords, elements: wrong } }),
      ).toThrow(unsatisfiable);
    }
  });

  it("is the same bytes every time, and its plan survives its file", () => {
    const { circuit, integerModel, bounds } = laidOut;
    const again = layOutCircuit({ integerModel, bounds });
    expect(r1csBytes(again).equals(r1csBytes(circuit))).toBe(true);
    const file = encodeWitnessPlan(circuit.plan);
    expect(encodeWitnessPlan(again.plan)).toEqual(file);
    // as a file is read: bytes that lie anywhere in a larger buffer
    const plan = decodeWitnessPlan(Buffer.concat([Buffer.alloc(1), file]).subarray(1));
    const signals = laidOut.signalsOf(inputs[2] as bigint[]);
    const witness = computeWitness({ plan, signals });
    expect(wtnsFile(witness)).toEqual(wtnsFile(computeWitness({ plan: circuit.plan, signals })));
    for (const length of [0, 20, file.length - 1]) {
      expect(() => decodeWitnessPlan(file.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "witnessPlan.malformed" }),
      );
    }
  });
});

describe("digits", () => {
  it("takes at most 15 rows a ReLU, and 1,024 in all", () => {
    const model = MODELS.find(({ title }) => title === "digits");
    const { circuit, integerModel, bounds } = layOutModel(model as TestModel);
    const at = integerModel.nodes.findIndex(({ kind }) => kind === "relu");
    const wires = circuit.blocks.filter(({ name }) => name.startsWith(`relu${at}x`));
    const count = bounds.get(integerModel.nodes[at]?.output ?? "")?.length ?? 0;
    expect(count).toBe(24);
    // a row for each digit and each product, and the one that the digits add up in
    const rows = wires.reduce((sum, block) => sum + block.count, count);
    expect(rows / count).toBeLessThanOrEqual(15);
    expect(circuit.rows.count + circuit.publicCount).toBeLessThan(2 ** 10);
  });
});

describe.each<[string, Partial<TestNode>]>([
  ["Abs", {}],
  ["LeakyRelu", { attributes: { alpha: { float: 0.25 } } }],
  ["PRelu", { inputs: ["s", "slopes"] }],
])("%s", (operator, node) => {
  it("takes one decomposition an element, and leaves its slopes to the next weights", () => {
    const { integerModel, circuit } = layOutModel({
      onnx: onnxFile({
        input: [1, 4],
        nodes: [
          { operator: "MatMul", inputs: ["x", "w"], output: "s" },
          { operator, inputs: ["s"], output: "h", ...node },
          { operator: "MatMul", inputs: ["h", "v"], output: "y" },
        ],
        constants: { w: noise([4, 3], 1), v: noise([3, 2], 2), slopes: noise([3], 3) },
        outputs: ["y"],
      }),
      calibration: [1, 2, 3].map((seed) => noise([4], seed).data),
    });
    expect(integerModel.nodes.map(({ kind }) => kind).slice(0, 3)).toEqual([
      "affine",
      "parts",
      "affine",
    ]);
    expect(integerModel.nodes.map(({ output }) => output)).not.toContain("h");
    const blocks = circuit.blocks.filter(({ name }) => name.startsWith("parts1x"));
    expect(blocks.map(({ name }) => name)).toEqual(
      [0, 1, 2].flatMap((index) => [`parts1x${index}`, `parts1x${index}Out`]),
    );
  });
});

describe("the greatest sums that quantising admits", () => {
  const scaleExponent = 0;
  const output = "h";
  it.each<[string, IntegerModel["nodes"]]>([
    ["relu", [{ kind: "relu", input: "s", output, shift: 3, scaleExponent }]],
    ["parts", [{ kind: "parts", input: "s", output, shift: 3, scaleExponent }]],
    ["argMax", [{ kind: "argMax", input: "s", output }]],
    ["rescale", [{ kind: "rescale", input: "s", output, shift: 1, scaleExponent }]],
  ])("have certificates: %s", (_, nodes) => {
    const isAdmitted = (power: number): boolean => {
      const weights = [2 ** power, -(2 ** power)];
      const rows = [0, 1].map((first) => ({ indices: [first, 1 - first], weights, bias: 0 }));
      const bounded: Omit<IntegerModel, "outputs"> = {
        format: 1,
        input: { name: "x", shape: [2], minimum: -(2 ** 14), maximum: 2 ** 14, scaleExponent },
        nodes: [
          { kind: "rescale", input: "x", output: "r", shift: 1, scaleExponent },
          { kind: "affine", input: "r", output: "s", inputCount: 2, scaleExponent, rows },
          ...nodes,
          // narrow enough for a layout
          {
            kind: "affine",
            input: output,
            output: "y",
            inputCount: 1,
            scaleExponent,
            rows: [{ indices: [0], weights: [0], bias: 1 }],
          },
        ],
      };
      const outputs = [{ name: "y", shape: [1], value: "y", scaleExponent }];
      const integerModel = { ...bounded, outputs };
      let bounds: ReturnType<typeof computeBounds>;
      try {
        bounds = computeBounds(integerModel);
      } catch (error) {
        expect(error).toMatchObject({ code: "quantise.rangeTooWide" });
        return false;
      }
      certifyCircuit(layOutCircuit({ integerModel, bounds }));
      return true;
    };
    const admitted = Array.from({ length: 30 }, (_, at) => at + 10).filter(isAdmitted);
    // differences of two elements of 13 digits
    expect(admitted.at(-1)).toBe(34);
  });
});

describe("a circuit that exceeds a domain by few rows", () => {
  it("fits because sums stand in the place of wires, however often they are read", () => {
    const { circuit } = layOutModel(SUBSTITUTED);
    expect(circuit.substituted).toBeGreaterThan(0);
    expect(circuit.rows.count + circuit.publicCount + 1).toBe(2 ** 9);
    // those that are left are read by rows of 130 sums, and so were those that were replaced
    expect(circuit.substitutables.length + circuit.substituted).toBe(56);
    expect(circuit.blocks.map(({ name }) => name)).not.toContainEqual(
      expect.stringMatching(/Operand/),
    );
  });
});

describe("greatest of windows before their ReLU", () => {
  const model = MODELS.find(({ title }) => title === "greatest of windows before their ReLU");

  it("takes a ReLU for each window, and compares upper digits that are there already", () => {
    const { integerModel, bounds, circuit } = layOutModel(model as TestModel);
    const count = (kind: string) =>
      integerModel.nodes
        .filter((node) => node.kind === kind)
        .map(({ output }) => bounds.get(output)?.length);
    expect(count("relu")).toEqual([8, 4]);
    expect(count("floor")).toEqual([16, 8]);
    const floors = circuit.blocks.filter(({ name }) => name.startsWith("floor"));
    // none for the input, and the sign of each ReLU
    expect(floors.map(({ count }) => count)).toEqual(new Array(8).fill(1));
  });

  it("compares rough forms in every round, and takes the last product into the row of the ReLU", () => {
    const { integerModel, circuit } = layOutModel(model as TestModel);
    const picks = [...integerModel.nodes.entries()].filter(([, { kind }]) => kind === "pick");
    // of both windows: the greater of two, its rough form, and the greatest, of which the second is an output of its ReLU
    const wiresOf = (suffix: string) =>
      picks.map(([at]) => {
        const isOwn = new RegExp(`^pick${at}x\\d+${suffix}$`);
        return circuit.blocks.filter(({ name }) => isOwn.test(name)).length;
      });
    // of the first windows: the greater of two, its rough form, and the greatest
    expect(wiresOf("Out")).toEqual([16, 16, 0, ...wiresOf("Out").slice(3)]);
    expect(wiresOf("Out").at(-1)).toBe(0);
    // a rough form goes on by the digits that the first pick has made, and its difference is theirs
    expect(wiresOf("").slice(0, 3)).toEqual([16, 0, 8]);
    expect(wiresOf("Difference").slice(0, 2)).toEqual([16, 0]);
  });

  it("confuses only what is nearly equal: more bits bring the greatest nearer", () => {
    const errors = [8, 12].map((bits) => {
      const options = { weightBits: bits, activationBits: bits, inputBits: bits };
      const { graph, integerModel } = layOutModel({ ...(model as TestModel), options });
      const [output] = integerModel.outputs;
      let [difference, size] = [0, 0];
      for (let seed = 10; seed < 60; seed++) {
        const integers = noise([16], seed).data.map((x) =>
          Math.round(x * 0.99 * integerModel.input.maximum),
        );
        const input = integers.map((x) => x * 2 ** integerModel.input.scaleExponent);
        const float = runFloatModel({ graph, input }).get("y") ?? [];
        const [found = []] = runIntegerModel({ integerModel, input: integers.map(BigInt) });
        for (const [index, x] of float.entries()) {
          difference += (Number(found[index]) * 2 ** (output?.scaleExponent ?? 0) - x) ** 2;
          size += x ** 2;
        }
      }
      return Math.sqrt(difference / size);
    });
    expect(errors[0]).toBeLessThan(0.03);
    expect(errors[1]).toBeLessThan(0.003);
  });
});

describe("elements of which trees ask alone", () => {
  const at = (further: TestNode[], outputs: string[]) => {
    const { onnx: _, ...trees } = MODELS.find(({ title }) => title === "trees") as TestModel;
    const { circuit } = layOutModel({
      ...trees,
      onnx: onnxFile({
        input: [1, 3],
        nodes: [
          forest({ features: 3, trees: 3, depth: 3, modes: ["BRANCH_LEQ"], scale: 12 }),
          ...further,
        ],
        constants: { w: noise([3, 2], 1) },
        outputs,
      }),
    });
    return circuit.blocks.filter(({ name }) => /^elementDigits\d+$/.test(name)).length;
  };

  it("have no digits of their own, unless something else reads them", () => {
    expect(at([], ["y"])).toBe(0);
    const reader = { operator: "MatMul", inputs: ["x", "w"], output: "z" };
    expect(at([reader], ["y", "z"])).toBe(3);
  });
});

describe.runIf(process.env.HACA_DEEP !== undefined)("LeNet-5 at 28x28", () => {
  it("takes 115,000 rows at most", () => {
    const { circuit } = layOutModel({
      onnx: lenet(),
      calibration: [1, 2].map((seed) =>
        noise([784], seed).data.map((x) => Math.floor(128 * (x + 1))),
      ),
      options: { input: { minimum: 0, maximum: 255, scaleExponent: 0 } },
    });
    certifyCircuit(circuit);
    expect(circuit.rows.count).toBeLessThanOrEqual(115_000);
  });
});

describe("a perceptron 784-64-10", () => {
  it("stays in the domain 2^13 because elements are replaced by their digits, and is still right", () => {
    const laidOut = layOutModel({
      onnx: multilayerPerceptron({ inputs: 784, hidden: 64, classes: 10 }),
      calibration: [noise([784], 1).data, noise([784], 2).data],
      options: { input: { minimum: 0, maximum: 255, scaleExponent: -8 } },
    });
    const { circuit, checker } = laidOut;
    expect(circuit.substituted).toBeGreaterThan(0);
    expect(circuit.rows.count + circuit.publicCount + 1).toBe(2 ** 13);
    certifyCircuit(circuit);
    const random = seededRandom(3n);
    const input = Array.from({ length: 784 }, () => random(256n));
    expect(checker.firstViolated(laidOut.witnessOf(input))).toBe(undefined);
  });
});

describe("keys of a circuit that is written directly", () => {
  const folder = mkdtempSync(join(tmpdir(), "haca-keys-"));
  afterAll(async () => {
    await releaseCurve();
    rmSync(folder, { recursive: true });
  });

  it("prove its natively computed witness, for these words alone", async () => {
    const model = MODELS.find(({ title }) => title.startsWith("element by element"));
    const { circuit, signalsOf } = layOutModel(model as TestModel);
    const path = (name: string) => join(folder, name);
    writeR1cs({ ...circuit, path: path("circuit.r1cs") });
    const power = Math.floor(Math.log2(circuit.rows.count + circuit.publicCount)) + 1;
    const { ptau } = await ensurePtau({ power, folder, onProgress: () => {} });
    const { verificationKey } = await setUpKeys({
      r1cs: path("circuit.r1cs"),
      ptau,
      workFolder: folder,
      zkey: path("circuit.zkey"),
    });
    const signals = signalsOf([1n, -2n, 3n, 0n, 5n]);
    const witness = wtnsFile(computeWitness({ plan: circuit.plan, signals }));
    const file = { type: "mem" as const, data: witness };
    const { proof, publicSignals } = await groth16.prove(path("circuit.zkey"), file);
    const words = [signals.inputWords, signals.outputWords, signals.context].flat();
    expect(publicSignals).toEqual(words);
    expect(await groth16.verify(verificationKey, publicSignals, proof)).toBe(true);
    for (const [index, word] of publicSignals.entries()) {
      const other = publicSignals.with(index, String(BigInt(word) + 1n));
      expect(await groth16.verify(verificationKey, other, proof)).toBe(false);
    }
  });
});
