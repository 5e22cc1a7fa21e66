import type { Witness } from "./computeWitness.ts";
import { ELEMENT_BYTES, FIELD_ORDER, writeElement } from "./field.ts";

/**
 * A witness as a `.wtns` file, format version 2, as snarkjs and the native prover read it
 * (https://github.com/iden3/snarkjs/blob/master/src/wtns_utils.js).
 */
export function wtnsFile(witness: Witness): Uint8Array {
  const { values, wide } = witness;
  const headerBytes = 4 + ELEMENT_BYTES + 4;
  const dataStart = 12 + 12 + headerBytes + 12;
  const bytes = new Uint8Array(dataStart + values.length * ELEMENT_BYTES);
  const words = new Uint32Array(bytes.buffer);
  // "wtns", version, sections; header: type, size, element bytes, order, count; data: type, size
  words.set([0x73_6e_74_77, 2, 2, 1, headerBytes, 0, ELEMENT_BYTES]);
  writeElement(words, 7, FIELD_ORDER - 1n);
  // the order itself is 0 as an element: written as the greatest element, plus one; it is odd, so nothing carries
  words[7] = (words[7] as number) + 1;
  words.set([values.length, 2], 15);
  new DataView(bytes.buffer).setBigUint64(68, BigInt(values.length * ELEMENT_BYTES), true);
  for (let wire = 0; wire < values.length; wire++) {
    writeElement(words, dataStart / 4 + wire * 8, values[wire] as number);
  }
  for (const [wire, value] of wide) {
    words.fill(0, dataStart / 4 + wire * 8, dataStart / 4 + (wire + 1) * 8);
    writeElement(words, dataStart / 4 + wire * 8, value);
  }
  return bytes;
}
