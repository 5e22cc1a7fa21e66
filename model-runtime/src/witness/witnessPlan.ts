import { BaseError } from "@haca/protocol/baseError";

/** What one step of a plan computes. Operands are in `WitnessPlan.steps`, in the order that is given here. */
export const STEP = {
  /** wire, sum: the wire is the sum */
  sum: 0,
  /** first wire, width, sum: the wires are the sum's binary digits, least significant first; limited by `limits` */
  digits: 1,
  /** wire, sum, sum: the wire is the product */
  product: 2,
  /** first wire, wire, first sum, count: one-hot choice of the greatest sum, the first of equals, and its value */
  choice: 3,
  /** first sum, count: elements of the outputs, plus the offset of their layout */
  results: 4,
  /** wire: the square of the context */
  contextSquare: 5,
  /** first wire, first sum, count: the wire of the last sum that is not negative is 1, none where all are */
  place: 6,
  /**
   * first wire of the words, wire of the salt or 0, first wire of the sponge: what the commitment to the input is computed by. The
   * first step of a circuit that shows a commitment; of the public wires the first is that, and no word
   */
  commitment: 7,
} as const;

/** Numbers of a step: its kind and four operands. */
export const STEP_LENGTH = 5;

/**
 * How to compute every wire of a circuit. All numbers but the words, the context and its square, and what a commitment is
 * computed by, are exact in a double: the compiler proves it, row by row.
 *
 * A sum is constant + coefficient * slot, where a slot is a wire, or from `wireCount` on an element of the input plus
 * the offset of its layout.
 */
export type WitnessPlan = {
  wireCount: number;
  /** words of the input, public or under a commitment */
  inputWords: number;
  outputWords: number;
  /** the terms of sum i are those from starts[i] to starts[i + 1] */
  starts: Uint32Array;
  slots: Uint32Array;
  coefficients: Float64Array;
  constants: Float64Array;
  steps: Uint32Array;
  /** one per step: the greatest number that a step of digits admits */
  limits: Float64Array;
  /** word and shift of every element of the input, and of every element of the outputs */
  inputPlaces: Uint32Array;
  outputPlaces: Uint32Array;
};

/** Where the words lie that a circuit hides under a commitment, and its sponge; undefined where it shows the words. */
export function hiddenInputOf({
  steps,
}: Pick<WitnessPlan, "steps">): { words: number; salt: number; sponge: number } | undefined {
  const [kind, words = 0, salt = 0, sponge = 0] = steps;
  return kind === STEP.commitment ? { words, salt, sponge } : undefined;
}

const MAGIC = 0x70_77_61_68; // "hawp"
const VERSION = 1;
const HEADER_LENGTH = 12;

/** The plan's file: header, then the arrays, those of doubles first so that all are aligned. Little-endian. */
export function encodeWitnessPlan(plan: WitnessPlan): Uint8Array {
  const parts = arraysOf(plan);
  const header = Uint32Array.from([
    MAGIC,
    VERSION,
    plan.wireCount,
    plan.inputWords,
    plan.outputWords,
    ...parts.map((part) => part.length),
  ]);
  const bytes = new Uint8Array(
    HEADER_LENGTH * 4 + parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
  );
  bytes.set(new Uint8Array(header.buffer));
  let cursor = HEADER_LENGTH * 4;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), cursor);
    cursor += part.byteLength;
  }
  return bytes;
}

/** Reads what `encodeWitnessPlan` wrote. Throws `witnessPlan.malformed`. */
export function decodeWitnessPlan(file: Uint8Array): WitnessPlan {
  // a copy that starts at a multiple of 8, wherever the reader's bytes lie; `slice` of a Buffer would be no copy
  const bytes = new Uint8Array(file);
  if (bytes.length < HEADER_LENGTH * 4) throw malformed("the file is truncated");
  const header = new Uint32Array(bytes.buffer, 0, HEADER_LENGTH);
  const [magic, version, wireCount = 0, inputWords = 0, outputWords = 0, ...lengths] = header;
  if (magic !== MAGIC) throw malformed("the file is no witness plan");
  if (version !== VERSION) {
    throw malformed(`format version ${version}, expected ${VERSION}: compile the model again`);
  }
  let cursor = HEADER_LENGTH * 4;
  const read = <T>(kind: ArrayKind<T>, index: number): T => {
    const length = lengths[index] ?? 0;
    const start = cursor;
    cursor += length * kind.BYTES_PER_ELEMENT;
    if (cursor > bytes.length) throw malformed("the file is truncated");
    return new kind(bytes.buffer, start, length);
  };
  const plan = {
    wireCount,
    inputWords,
    outputWords,
    coefficients: read(Float64Array, 0),
    constants: read(Float64Array, 1),
    limits: read(Float64Array, 2),
    starts: read(Uint32Array, 3),
    slots: read(Uint32Array, 4),
    steps: read(Uint32Array, 5),
    ...splitPlaces(read(Uint32Array, 6), inputWords),
  };
  if (cursor !== bytes.length) throw malformed("the file is longer than its header says");
  return plan;
}

type ArrayKind<T> = {
  BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, start: number, length: number): T;
};

function arraysOf(plan: WitnessPlan): (Float64Array | Uint32Array)[] {
  const { inputPlaces, outputPlaces } = plan;
  const places = Uint32Array.from([inputPlaces.length, ...inputPlaces, ...outputPlaces]);
  const { coefficients, constants, limits, starts, slots, steps } = plan;
  return [coefficients, constants, limits, starts, slots, steps, places];
}

function splitPlaces(
  places: Uint32Array,
  inputWords: number,
): Pick<WitnessPlan, "inputPlaces" | "outputPlaces"> {
  const [length = 0] = places;
  const inputPlaces = places.subarray(1, 1 + length);
  if (inputWords === 0 || inputPlaces.length !== length) throw malformed("places are missing");
  return { inputPlaces, outputPlaces: places.subarray(1 + length) };
}

function malformed(message: string): BaseError {
  return new BaseError({ code: "witnessPlan.malformed", message });
}
