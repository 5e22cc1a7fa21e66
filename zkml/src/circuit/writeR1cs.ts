import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { ELEMENT_BYTES, FIELD_ORDER, writeElement } from "@haca/model-runtime/witness/field";
import type { WireBlock } from "./circuitBuilder.ts";
import { type Rows, SIDES } from "./rows.ts";

/** Bytes of a term: its wire and its coefficient. */
const TERM_BYTES = 4 + ELEMENT_BYTES;

/** Bytes that are collected before they are written. */
const CHUNK_BYTES = 1 << 22;

/**
 * Writes a circuit in iden3's format, version 1
 * (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md). The same rows give the same bytes. Every wire is
 * its own label; no wire is a public output or a private input, as the words that a proof shows are inputs.
 */
export function writeR1cs(parameters: {
  path: string;
  rows: Rows;
  wireCount: number;
  publicCount: number;
}): void {
  const { path, rows, wireCount, publicCount } = parameters;
  const file = openSync(path, "w");
  try {
    const frame = new Uint32Array(3 + 3 + 1 + ELEMENT_BYTES / 4 + 7 + 3);
    const headerBytes = 4 + ELEMENT_BYTES + 28;
    // "r1cs", version, sections; header: type, size, element bytes
    frame.set([0x73_63_31_72, 1, 3, 1, headerBytes, 0, ELEMENT_BYTES]);
    for (let index = 0; index < ELEMENT_BYTES / 4; index++) {
      frame[7 + index] = Number((FIELD_ORDER >> BigInt(32 * index)) & 0xffff_ffffn);
    }
    // wires, public outputs, public inputs, private inputs, labels (8 bytes), rows
    frame.set([wireCount, 0, publicCount, 0, wireCount, 0, rows.count], 15);
    const size = rows.count * SIDES.length * 4 + rows.nonZeros * TERM_BYTES;
    frame.set([2, size % 0x1_0000_0000, size / 0x1_0000_0000], 22);
    writeSync(file, frame);
    writeRows(file, rows);
    const labels = new Uint32Array(3 + 2 * wireCount);
    labels.set([3, (wireCount * 8) % 0x1_0000_0000, (wireCount * 8) / 0x1_0000_0000]);
    for (let wire = 0; wire < wireCount; wire++) labels[3 + 2 * wire] = wire;
    writeSync(file, labels);
  } finally {
    closeSync(file);
  }
}

function writeRows(file: number, rows: Rows): void {
  const { starts, wires, coefficients, wide } = rows;
  let chunk = new Uint32Array(CHUNK_BYTES / 4);
  let cursor = 0;
  const flush = (): void => {
    let written = 0;
    while (written < cursor * 4) {
      written += writeSync(file, chunk, written, cursor * 4 - written);
    }
    chunk.fill(0, 0, cursor);
    cursor = 0;
  };
  for (let sum = 0; sum < rows.count * SIDES.length; sum++) {
    const [start = 0, end = 0] = [starts[sum], starts[sum + 1]];
    const words = 1 + ((end - start) * TERM_BYTES) / 4;
    if (cursor + words > chunk.length) flush();
    if (words > chunk.length) chunk = new Uint32Array(words);
    chunk[cursor] = end - start;
    cursor += 1;
    for (let term = start; term < end; term++) {
      chunk[cursor] = wires[term] as number;
      writeElement(chunk, cursor + 1, wide.get(term) ?? (coefficients[term] as number));
      cursor += TERM_BYTES / 4;
    }
  }
  flush();
}

/** Writes the wires' names as circom's `.sym` file has them: label, wire, component, name. */
export function writeSymbols(path: string, blocks: readonly WireBlock[]): void {
  const lines = blocks.flatMap(({ name, first, count, isArray }) =>
    Array.from({ length: count }, (_, index) => {
      const wire = first + index;
      return `${wire},${wire},0,main.${name}${isArray ? `[${index}]` : ""}\n`;
    }),
  );
  writeFileSync(path, lines.join(""));
}
