import { closeSync, openSync, writeSync } from "node:fs";
import type { WireBlock } from "./circuitBuilder.ts";
import { type Rows, SIDES } from "./rows.ts";

/** Characters that are collected before they are written. */
const CHUNK_LENGTH = 1 << 20;

/** Terms of one statement: circom reads a sum by recursion, and has no room for one of thousands. */
const STATEMENT_TERMS = 128;

/**
 * Writes a circuit as circom text, for auditors: the same rows, in the same order, over wires of the same names. Compiled
 * with `--O1` it gives the rows of `writeR1cs`, up to scale and order. It computes no witness: every wire is an input.
 */
export function writeCircom(parameters: {
  path: string;
  rows: Rows;
  blocks: readonly WireBlock[];
  /** public wires: 1 to this */
  publicCount: number;
}): void {
  const { path, rows, blocks, publicCount } = parameters;
  const names = namesOf(blocks);
  const publicNames = blocks.filter(({ first }) => first <= publicCount).map(({ name }) => name);
  const file = openSync(path, "w");
  try {
    let chunk = "";
    const add = (line: string): void => {
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_LENGTH) return;
      writeText(file, chunk);
      chunk = "";
    };
    add("pragma circom 2.2.0;");
    add("template Rows() {");
    for (const { name, count, isArray } of blocks) {
      add(`    signal input ${name}${isArray ? `[${count}]` : ""};`);
    }
    for (let row = 0; row < rows.count; row++) {
      for (const line of linesOf({ rows, row, names })) add(`    ${line}`);
    }
    add("}");
    add(`component main {public [${publicNames.join(", ")}]} = Rows();`);
    writeText(file, chunk);
  } finally {
    closeSync(file);
  }
}

function writeText(file: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

/** The name of every wire; the first is the constant 1. */
function namesOf(blocks: readonly WireBlock[]): string[] {
  const names = ["1"];
  for (const { name, first, count, isArray } of blocks) {
    for (let index = 0; index < count; index++) {
      names[first + index] = isArray ? `${name}[${index}]` : name;
    }
  }
  return names;
}

/** The row's constraint, after variables for its sums where these are long. */
function linesOf(parameters: { rows: Rows; row: number; names: readonly string[] }): string[] {
  const { rows, row, names } = parameters;
  const { starts, wires, coefficients, wide } = rows;
  const lines: string[] = [];
  const [a, b, c] = SIDES.map((side, index) => {
    const sum = row * SIDES.length + index;
    const [start = 0, end = 0] = [starts[sum], starts[sum + 1]];
    const terms = Array.from({ length: end - start }, (_, at) => {
      const coefficient = wide.get(start + at) ?? BigInt(coefficients[start + at] as number);
      return `(${coefficient}) * ${names[wires[start + at] as number]}`;
    });
    if (terms.length <= STATEMENT_TERMS) return terms.join(" + ") || "0";
    const variable = `${side}OfRow${row}`;
    for (let at = 0; at < terms.length; at += STATEMENT_TERMS) {
      const part = terms.slice(at, at + STATEMENT_TERMS).join(" + ");
      lines.push(at === 0 ? `var ${variable} = ${part};` : `${variable} += ${part};`);
    }
    return variable;
  });
  const isLinear = starts[row * SIDES.length] === starts[row * SIDES.length + 1];
  lines.push(isLinear ? `0 === ${c};` : `(${a}) * (${b}) === ${c};`);
  return lines;
}
