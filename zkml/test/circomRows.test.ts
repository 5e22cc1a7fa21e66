import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCircuit } from "@haca/circuits/compileCircuit";
import { type LinearCombination, type R1cs, readR1cs, readSymbols } from "@haca/circuits/readR1cs";
import { expect, it } from "vitest";
import { writeCircom } from "../src/circuit/writeCircom.ts";
import { writeR1cs, writeSymbols } from "../src/circuit/writeR1cs.ts";
import { layOutModel } from "./utils/layOutModel.ts";
import { COMMITTED, MODELS, SUBSTITUTED } from "./utils/models.ts";
import { multilayerPerceptron, noise } from "./utils/onnxFile.ts";

/** A circuit's file and its names, read back. */
type NamedRows = { r1cs: R1cs; names: Map<number, string> };

/** A sum that is written in several statements. */
const wide = {
  title: "a layer of 300 inputs",
  onnx: multilayerPerceptron({ inputs: 300, hidden: 2, classes: 2 }),
  calibration: [noise([300], 1).data, noise([300], 2).data],
  options: { inputBits: 2 },
};

/** Four by default: circom and the inverses of every row take seconds. */
const isDeep = process.env.HACA_DEEP !== undefined;
const models = [...MODELS, wide, SUBSTITUTED, ...COMMITTED].filter(
  ({ title }) =>
    isDeep ||
    [wide, SUBSTITUTED, COMMITTED[0]].some((model) => model?.title === title) ||
    title.startsWith("two hidden layers"),
);

it.each(models)(
  "circom makes the same rows, with the same names, of the same constraints: $title",
  async (model) => {
    const { circuit } = layOutModel(model);
    const folder = mkdtempSync(join(tmpdir(), "haca-rows-"));
    try {
      const path = (name: string) => join(folder, name);
      writeR1cs({ ...circuit, path: path("own.r1cs") });
      writeSymbols(path("own.sym"), circuit.blocks);
      const own = readNamed(path("own.r1cs"), path("own.sym"));
      writeCircom({ ...circuit, path: path("rows.circom") });
      const compiled = await compileCircuit({
        source: path("rows.circom"),
        outFolder: folder,
        simplification: 1,
      });
      const circom = readNamed(compiled.r1cs, compiled.symbols);
      expect(circom.r1cs.publicInputCount).toBe(own.r1cs.publicInputCount);
      expect(canonicalRows(circom)).toEqual(canonicalRows(own));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

function readNamed(r1cs: string, symbols: string): NamedRows {
  const wires = [...readSymbols(readFileSync(symbols, "utf8"))].filter(([, wire]) => wire > 0);
  return {
    r1cs: readR1cs(readFileSync(r1cs)),
    names: new Map(wires.map(([name, wire]) => [wire, name])),
  };
}

/** Every row as text: signs and scales normalised, terms by name, the factors in order; sorted. */
function canonicalRows({ r1cs, names }: NamedRows): string[] {
  const { fieldOrder, constraints } = r1cs;
  const modulo = (value: bigint) => ((value % fieldOrder) + fieldOrder) % fieldOrder;
  /** Fermat's inverse. */
  const invert = (value: bigint): bigint => {
    let [result, base, exponent] = [1n, modulo(value), fieldOrder - 2n];
    for (; exponent > 0n; exponent >>= 1n) {
      if ((exponent & 1n) === 1n) result = (result * base) % fieldOrder;
      base = (base * base) % fieldOrder;
    }
    return result;
  };
  const sorted = ({ wires, coefficients }: LinearCombination) =>
    Array.from(wires, (wire, index) => ({
      name: names.get(wire) ?? (wire === 0 ? "1" : `?${wire}`),
      value: coefficients[index] as bigint,
    })).sort((x, y) => (x.name < y.name ? -1 : 1));
  const textOf = (terms: ReturnType<typeof sorted>, factor: bigint): string =>
    terms.map(({ name, value }) => `${modulo(value * factor)} ${name}`).join(" + ");
  return constraints
    .map(({ a, b, c }) => {
      const [left, right, out] = [sorted(a), sorted(b), sorted(c)];
      if (left.length === 0 || right.length === 0) {
        return `0 = ${textOf(out, invert(out[0]?.value ?? 1n))}`;
      }
      const [byLeft, byRight] = [left, right].map((terms) => invert(terms[0]?.value ?? 1n));
      const factors = [textOf(left, byLeft as bigint), textOf(right, byRight as bigint)].sort();
      return `${factors.join(" * ")} = ${textOf(out, (byLeft as bigint) * (byRight as bigint))}`;
    })
    .sort();
}
