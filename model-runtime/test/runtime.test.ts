import { commitInput } from "@haca/protocol/inputCommitment";
import type { Manifest } from "@haca/protocol/manifest";
import { describe, expect, it } from "vitest";
import { circuitInput } from "../src/circuitInput.ts";
import { integerModelSchema } from "../src/integerModel.ts";
import { dequantise, quantiseInput } from "../src/quantise.ts";
import { runIntegerModel } from "../src/runIntegerModel.ts";
import { computeBounds } from "../src/tensors.ts";

const manifest: Pick<Manifest, "input" | "outputs"> = {
  input: {
    name: "x",
    shape: [3],
    layout: { count: 3, bits: 5, isSigned: true, scaleExponent: -1 },
    minimum: -10,
    maximum: 12,
  },
  outputs: [
    {
      name: "y",
      shape: [2],
      layout: { count: 2, bits: 6, isSigned: true, scaleExponent: -2 },
      minimum: -32,
      maximum: 31,
    },
  ],
};

const failure = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details });

describe("quantiseInput", () => {
  it("rounds to the nearest multiple of the scale, halves away from zero", () => {
    expect(quantiseInput({ manifest, values: [0.25, -0.25, 6] })).toEqual([1n, -1n, 12n]);
    expect(quantiseInput({ manifest, values: [0.2, -5, -0] })).toEqual([0n, -10n, 0n]);
  });

  it("names the element that it refuses", () => {
    const refuse = (values: unknown[]) => () =>
      quantiseInput({ manifest, values: values as number[] });
    expect(refuse([1, 2])).toThrow(failure("input.wrongLength", { expected: 3, actual: 2 }));
    expect(refuse([1, Number.NaN, 0])).toThrow(failure("input.notFinite", { index: 1 }));
    expect(refuse([1, 0, Number.POSITIVE_INFINITY])).toThrow(
      failure("input.notFinite", { index: 2 }),
    );
    expect(refuse([1, 0, "2"])).toThrow(failure("input.notFinite", { index: 2 }));
    expect(refuse([6.5, 0, 0])).toThrow(failure("input.outOfRange"));
    expect(refuse([0, 0, -5.5])).toThrow(/element 2 of x is -5.5, must be -5 to 6/);
  });
});

describe("whole numbers", () => {
  it("are taken as they are, and a fraction is refused, not rounded", () => {
    const whole = { input: { ...manifest.input, isInteger: true } };
    expect(quantiseInput({ manifest: whole, values: [1, -2, 3] })).toEqual([2n, -4n, 6n]);
    expect(() => quantiseInput({ manifest: whole, values: [1, 1.5, 3] })).toThrow(
      failure("input.notInteger", { index: 1, value: 1.5 }),
    );
  });
});

describe("dequantise", () => {
  it("multiplies by the scale", () => {
    const layout = { scaleExponent: -2 };
    expect(dequantise({ layout, integers: [5n, -6n] })).toEqual([1.25, -1.5]);
  });
});

describe("circuitInput", () => {
  const valid = { manifest, input: [-10n, 0n, 12n], outputs: [[-32n, 31n]], context: 7n };

  it("adds the offsets and packs the words", () => {
    const inputWord = 6n | (16n << 5n) | (28n << 10n);
    const outputWord = 0n | (63n << 6n);
    expect(circuitInput(valid)).toEqual({
      signals: {
        inputWords: [String(inputWord)],
        outputWords: [String(outputWord)],
        context: "7",
        elements: ["6", "16", "28"],
      },
      words: [inputWord, outputWord],
    });
  });

  it("refuses what the circuit would refuse", () => {
    const refuse = (change: object) => () => circuitInput({ ...valid, ...change });
    expect(refuse({ input: [-11n, 0n, 0n] })).toThrow(failure("input.outOfRange", { index: 0 }));
    expect(refuse({ input: [0n, 0n, 13n] })).toThrow(failure("input.outOfRange", { index: 2 }));
    expect(refuse({ input: [0n, 0n] })).toThrow(failure("words.elementCount"));
    expect(refuse({ outputs: [[32n, 0n]] })).toThrow(failure("words.elementOutOfRange"));
    expect(refuse({ outputs: [[1n]] })).toThrow(failure("words.elementCount"));
    expect(refuse({ context: 1n << 248n })).toThrow(failure("context.outOfRange"));
    expect(refuse({ context: -1n })).toThrow(failure("context.outOfRange"));
  });
});

describe("circuitInput of a model that hides its input", () => {
  const parameters = { input: [-10n, 0n, 12n], outputs: [[-32n, 31n]], context: 7n };
  const word = 6n | (16n << 5n) | (28n << 10n);
  const salt = 1n << 200n;

  it.each([
    ["committed", {}],
    ["salted", { salt }],
  ] as const)("has one commitment in place of the words: %s", (inputMode, given) => {
    const hidden = { ...manifest, inputMode };
    const commitment = commitInput({ mode: inputMode, words: [word], ...given });
    const { signals, words } = circuitInput({ manifest: hidden, ...parameters, ...given });
    expect(words[0]).toBe(commitment);
    expect(words).toHaveLength(2);
    expect(signals).toMatchObject({
      commitment: [String(commitment)],
      inputWords: [String(word)],
    });
  });

  it("takes a salt where the model does, and nowhere else", () => {
    const of = (inputMode: "committed" | "salted" | undefined, given: { salt?: bigint }) => () =>
      circuitInput({
        ...parameters,
        manifest: { ...manifest, ...(inputMode === undefined ? {} : { inputMode }) },
        ...given,
      });
    expect(of("salted", {})).toThrow(failure("salt.missing"));
    expect(of("salted", { salt: 5n })).toThrow(failure("salt.invalid"));
    expect(of("committed", { salt })).toThrow(failure("salt.unexpected"));
    expect(of(undefined, { salt })).toThrow(failure("salt.unexpected"));
  });
});

describe("runIntegerModel", () => {
  const integerModel = {
    format: 1 as const,
    input: { name: "x", shape: [2], minimum: -10, maximum: 10, scaleExponent: 0 },
    nodes: [
      {
        kind: "affine" as const,
        input: "x",
        output: "s",
        inputCount: 2,
        scaleExponent: 0,
        rows: [
          { indices: [0, 1], weights: [3, -2], bias: 1 },
          { indices: [], weights: [], bias: -9 },
        ],
      },
      { kind: "relu" as const, input: "s", output: "h", scaleExponent: 2, shift: 2 },
      { kind: "rescale" as const, input: "s", output: "r", scaleExponent: 1, shift: 1 },
      { kind: "argMax" as const, input: "s", output: "i" },
      { kind: "parts" as const, input: "s", output: "p", scaleExponent: 2, shift: 2 },
    ],
    outputs: ["s", "h", "r", "i", "p"].map((value) => ({
      name: value,
      shape: [2],
      value,
      scaleExponent: 0,
    })),
  };

  it("computes every kind of node", () => {
    // 3 * 5 - 2 * -4 + 1 = 24; halves are rounded up: 24 / 4 = 6, -9 / 4 -> 0, 12, -4.5 -> -4
    expect(runIntegerModel({ integerModel, input: [5n, -4n] })).toEqual([
      [24n, -9n],
      [6n, 0n],
      [12n, -4n],
      [0n],
      [6n, -2n, 6n, 0n],
    ]);
    // -9 and -9: the first
    expect(runIntegerModel({ integerModel, input: [0n, 5n] })[3]).toEqual([0n]);
  });

  it("divides every element by its own power of two where there is one for each", () => {
    const nodes = integerModel.nodes.map((node) =>
      "shift" in node ? { ...node, shift: [3, 0] } : node,
    );
    const model = integerModelSchema.parse({ ...integerModel, nodes });
    expect(runIntegerModel({ integerModel: model, input: [5n, -4n] }).slice(1, 3)).toEqual([
      [3n, 0n],
      [3n, -9n],
    ]);
    expect(computeBounds(model).get("r")).toEqual([
      { minimum: -6n, maximum: 6n },
      { minimum: -9n, maximum: -9n },
    ]);
    for (const shift of [[3], [3, 0, 1]]) {
      const wrong = nodes.map((node) => ("shift" in node ? { ...node, shift } : node));
      expect(() => computeBounds({ ...model, nodes: wrong })).toThrow(failure("model.invalid"));
    }
    for (const shift of [[], [3, -1], [0.5, 1], "1"]) {
      const wrong = nodes.map((node) => ("shift" in node ? { ...node, shift } : node));
      expect(integerModelSchema.safeParse({ ...integerModel, nodes: wrong }).success).toBe(false);
    }
  });

  it("reaches the leaves whose conditions all hold, and refuses paths over what is not there", () => {
    const leaves = {
      kind: "leaves" as const,
      input: "x",
      output: "l",
      thresholds: [
        { index: 0, least: 3 },
        { index: 1, least: -2 },
      ],
      paths: [[1, 2], [1, -2], [-1], []],
    };
    const model = integerModelSchema.parse({
      ...integerModel,
      nodes: [leaves],
      outputs: [{ name: "l", shape: [4], value: "l", scaleExponent: 0 }],
    });
    const reached = (...input: bigint[]) => runIntegerModel({ integerModel: model, input })[0];
    expect(reached(3n, -2n)).toEqual([1n, 0n, 0n, 1n]);
    expect(reached(3n, -3n)).toEqual([0n, 1n, 0n, 1n]);
    expect(reached(2n, -2n)).toEqual([0n, 0n, 1n, 1n]);
    expect(computeBounds(model).get("l")?.[3]).toEqual({ minimum: 1n, maximum: 1n });
    for (const wrong of [
      { paths: [[3]] },
      { paths: [[0]] },
      { thresholds: [{ index: 2, least: 0 }] },
    ]) {
      expect(() => computeBounds({ ...model, nodes: [{ ...leaves, ...wrong }] })).toThrow(
        failure("model.invalid"),
      );
    }
  });

  it("refuses a wrong length and an element outside the range", () => {
    expect(() => runIntegerModel({ integerModel, input: [1n] })).toThrow(
      failure("input.wrongLength"),
    );
    expect(() => runIntegerModel({ integerModel, input: [0n, 11n] })).toThrow(
      failure("input.outOfRange", { index: 1 }),
    );
  });
});
