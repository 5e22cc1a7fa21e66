import { BaseError } from "./baseError.ts";

/**
 * Usable bits of a packed word. The scalar field's order has 254 bits; 248 keeps every packing of
 * range-checked elements below it, so that a word has one meaning.
 */
export const WORD_BITS = 248;

/** How one tensor lies in the packed words: the bindings of `IModelRegistry.TensorLayout`. */
export type TensorLayout = {
  /** number of elements */
  count: number;
  /** width of an element */
  bits: number;
  /** whether integers carry an offset of 2^(bits - 1) */
  isSigned: boolean;
  /** value = integer * 2^scaleExponent */
  scaleExponent: number;
};

/** Where element `index` of a sequence of tensors lies. */
export type ElementPosition = {
  word: number;
  shift: number;
  tensor: number;
  bits: number;
  isSigned: boolean;
};

/**
 * The place of every element, in order: from the least significant bit of the first word; an element that
 * would cross bit 248 starts the next word; a tensor starts where the one before it ended.
 */
export function elementPositions(layouts: readonly TensorLayout[]): ElementPosition[] {
  const positions: ElementPosition[] = [];
  let word = 0;
  let shift = 0;
  for (const [tensor, { count, bits, isSigned }] of layouts.entries()) {
    for (let i = 0; i < count; i++) {
      if (shift + bits > WORD_BITS) {
        word += 1;
        shift = 0;
      }
      positions.push({ word, shift, tensor, bits, isSigned });
      shift += bits;
    }
  }
  return positions;
}

/** Number of words that a sequence of tensors fills. */
export function wordCount(layouts: readonly TensorLayout[]): number {
  const last = elementPositions(layouts).at(-1);
  return last === undefined ? 0 : last.word + 1;
}

/** Packs the integers of a sequence of tensors, concatenated, into words. */
export function packWords(parameters: {
  layouts: readonly TensorLayout[];
  integers: readonly bigint[];
}): bigint[] {
  const { layouts, integers } = parameters;
  const positions = elementPositions(layouts);
  if (integers.length !== positions.length) {
    throw new BaseError({
      code: "words.elementCount",
      message: `expected ${positions.length} elements, got ${integers.length}`,
    });
  }
  const words = new Array<bigint>(wordCount(layouts)).fill(0n);
  for (const [index, position] of positions.entries()) {
    const integer = integers[index] as bigint;
    const offset = position.isSigned ? 1n << BigInt(position.bits - 1) : 0n;
    const raw = integer + offset;
    if (raw < 0n || raw >= 1n << BigInt(position.bits)) {
      throw new BaseError({
        code: "words.elementOutOfRange",
        message: `element ${index} = ${integer} does not fit ${position.isSigned ? "signed" : "unsigned"} ${position.bits} bits`,
        details: { index, integer, bits: position.bits },
      });
    }
    words[position.word] = (words[position.word] as bigint) | (raw << BigInt(position.shift));
  }
  return words;
}

/** The integers of each tensor; the inverse of `packWords`. Refuses words with bits that no element owns. */
export function unpackWords(parameters: {
  layouts: readonly TensorLayout[];
  words: readonly bigint[];
}): bigint[][] {
  const { layouts, words } = parameters;
  const positions = elementPositions(layouts);
  if (words.length !== wordCount(layouts)) {
    throw new BaseError({
      code: "words.wordCount",
      message: `expected ${wordCount(layouts)} words, got ${words.length}`,
    });
  }
  const remaining = [...words];
  const tensors: bigint[][] = layouts.map(() => []);
  for (const position of positions) {
    const mask = (1n << BigInt(position.bits)) - 1n;
    const raw = ((words[position.word] as bigint) >> BigInt(position.shift)) & mask;
    remaining[position.word] =
      (remaining[position.word] as bigint) - (raw << BigInt(position.shift));
    const offset = position.isSigned ? 1n << BigInt(position.bits - 1) : 0n;
    (tensors[position.tensor] as bigint[]).push(raw - offset);
  }
  const stray = remaining.findIndex((rest) => rest !== 0n);
  if (stray !== -1) {
    throw new BaseError({
      code: "words.strayBits",
      message: `word ${stray} has bits outside every element`,
    });
  }
  return tensors;
}
