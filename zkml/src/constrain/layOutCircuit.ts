import {
  gather,
  type IntegerModel,
  type IntegerNode,
  inputsOf,
} from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { describeTensors } from "@haca/model-runtime/tensors";
import { STEP, type WitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import type { InputMode } from "@haca/protocol/inputMode";
import { type ElementPosition, elementPositions, wordCount } from "@haca/protocol/packedWords";
import {
  type Choice,
  CircuitBuilder,
  type Rank,
  type Substitutable,
  type WireBlock,
} from "../circuit/circuitBuilder.ts";
import type { Rows } from "../circuit/rows.ts";
import { addSpongeRows } from "../circuit/spongeRows.ts";
import { combine, constantSum, digitSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { circuitOf } from "../kinds/kinds.ts";
import { pinnedElements } from "../kinds/leaves.ts";

/** Stands for the first element of the input in sums of the witness plan: beyond every wire. */
const ELEMENT_SLOT = 2 ** 31;

/** Terms that copied sums may add, for each row of the domain that they halve. */
const MAXIMUM_COPIES = 64;

/** A model's circuit: its rows, and how its witness is computed. */
export type CircuitLayout = {
  rows: Rows;
  plan: WitnessPlan;
  wireCount: number;
  /** public wires: 1 to this; the input's words or its commitment, the outputs' words, the context */
  publicCount: number;
  /** wires of the input's words, public or not */
  givenWords: readonly number[];
  /** wire of the salt */
  salt?: number;
  blocks: readonly WireBlock[];
  choices: readonly Choice[];
  ranks: readonly Rank[];
  systems: readonly (readonly number[])[];
  fieldWires: ReadonlySet<number>;
  /** what every element of every value of the model is, over the wires */
  values: ReadonlyMap<string, readonly Sum[]>;
  /** wires that have a row for what they sum, and that sums could stand in the place of */
  substitutables: readonly Substitutable[];
  /** how many wires sums stand in the place of */
  substituted: number;
};

/**
 * The circuit of a model, from its integers, without a compiler between: the same model gives the same rows and steps.
 *
 * The domain of a proof is the power of two above rows and public signals. Where these exceed one by few, as many wires
 * that are sums are replaced by their sums wherever they are read: each takes a row away and makes others longer, which
 * costs no time when a proof is made. Those whose sums are copied least go first.
 */
export function layOutCircuit(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
  /** what a proof shows of the input; default: its words */
  inputMode?: InputMode | undefined;
}): CircuitLayout {
  const plain = layOut({ ...parameters, substituted: new Set() });
  const domain = 2 ** Math.floor(Math.log2(plain.rows.count + plain.publicCount));
  const excess = plain.rows.count + plain.publicCount + 1 - domain;
  const chosen = chooseSubstituted({ ...plain, excess, limit: MAXIMUM_COPIES * domain });
  if (chosen === undefined) return plain;
  const fitting = layOut({ ...parameters, substituted: chosen });
  return fitting.rows.count + fitting.publicCount < domain ? fitting : plain;
}

/** Names of as many wires as there are rows too many, or undefined where copying their sums would add too many terms. */
function chooseSubstituted(parameters: {
  rows: Rows;
  wireCount: number;
  substitutables: readonly Substitutable[];
  excess: number;
  /** terms that copies may add */
  limit: number;
}): Set<string> | undefined {
  const { rows, wireCount, substitutables, excess, limit } = parameters;
  if (excess > substitutables.length) return undefined;
  const reads = new Uint32Array(wireCount);
  for (const wire of rows.wires) reads[wire] = (reads[wire] as number) + 1;
  const cheapest = substitutables
    .map(({ name, wire, terms }) => ({ name, copies: (reads[wire] as number) * (terms - 1) }))
    .sort((a, b) => a.copies - b.copies)
    .slice(0, excess);
  const copies = cheapest.reduce((sum, candidate) => sum + candidate.copies, 0);
  return copies > limit ? undefined : new Set(cheapest.map(({ name }) => name));
}

function layOut(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
  inputMode?: InputMode | undefined;
  substituted: ReadonlySet<string>;
}): CircuitLayout {
  const { integerModel, bounds, substituted } = parameters;
  const { input, outputs } = describeTensors(parameters);
  const circuit = new CircuitBuilder(substituted);
  const inputPositions = elementPositions([input.layout]);
  const outputPositions = elementPositions(outputs.map(({ layout }) => layout));
  const mode = parameters.inputMode ?? "packed";
  const inputCount = wordCount([input.layout]);
  const [commitment = 0] = mode === "packed" ? [] : circuit.takeField("commitment", 1, false);
  const shownWords = mode === "packed" ? circuit.take("inputWords", inputCount) : undefined;
  const outputWords = circuit.take("outputWords", wordCount(outputs.map(({ layout }) => layout)));
  const [context = 0] = circuit.take("context", 1, false);
  const publicCount = circuit.wireCount - 1;
  const inputWords = shownWords ?? circuit.take("inputWords", inputCount);
  const [salt] = mode === "salted" ? circuit.takeField("salt", 1, false) : [];
  const ofSalt = salt === undefined ? {} : { salt };
  if (mode !== "packed") {
    addSpongeRows({ circuit, mode, words: inputWords, commitment, ...ofSalt });
  }
  bindContext(circuit, context);

  const values = new Map<string, Sum[]>();
  const pinned = findPinned({ integerModel, bounds });
  const isRead = integerModel.nodes.some(
    (node) => node.kind !== "floor" && inputsOf(node).includes(input.name),
  );
  const elements = addInput({ circuit, input, positions: inputPositions, pinned, isRead });
  const packed = {
    circuit,
    name: "packed",
    words: inputWords,
    positions: inputPositions,
    elements,
  };
  // what rows of a node bound is packed after them, so that ranges are known in the order of rows
  if (pinned.size === 0) addWords(packed);
  values.set(
    input.name,
    elements.map((element, index) =>
      exactly([[1, element]], -offsetOf(inputPositions[index] as ElementPosition)),
    ),
  );
  const isOpen = findOpen(integerModel);
  for (const [index, node] of integerModel.nodes.entries()) {
    const names = inputsOf(node);
    const [only = ""] = names;
    const output = circuitOf(node).addRows({
      node,
      // One value as it is, so that a wire in place of a sum is there for whoever reads it next.
      input: names.length === 1 ? (values.get(only) ?? []) : [...gather(names, values)],
      ranges: gather(names, bounds),
      name: `${node.kind}${index}`,
      circuit,
      isOpen: isOpen(node.output),
    });
    values.set(node.output, output);
  }
  circuit.requireClosed();
  if (pinned.size > 0) addWords(packed);
  const results = integerModel.outputs.flatMap(({ value }) => values.get(value) ?? []);
  const raw = outputPositions.map((position, index) =>
    exactly([[1, results[index] as Sum]], offsetOf(position)),
  );
  circuit.plan.addStep(STEP.results, [circuit.plan.addSums(...raw), raw.length]);
  addWords({
    circuit,
    name: "result",
    words: outputWords,
    positions: outputPositions,
    elements: raw,
  });
  return {
    rows: circuit.rows,
    plan: circuit.plan.finish({
      wireCount: circuit.wireCount,
      inputWords: inputWords.length,
      outputWords: outputWords.length,
      inputPlaces: placesOf(inputPositions),
      outputPlaces: placesOf(outputPositions),
      elementSlot: ELEMENT_SLOT,
    }),
    wireCount: circuit.wireCount,
    publicCount,
    givenWords: inputWords,
    ...ofSalt,
    blocks: circuit.blocks,
    choices: circuit.choices,
    ranks: circuit.ranks,
    systems: circuit.systems,
    fieldWires: circuit.fieldWires,
    values,
    substitutables: circuit.substitutables,
    substituted: substituted.size,
  };
}

/** Says of a value whether one node alone reads it, which takes products. */
function findOpen({ nodes, outputs }: IntegerModel): (value: string) => boolean {
  const readers = new Map<string, (IntegerNode | undefined)[]>();
  const add = (value: string, reader?: IntegerNode): void => {
    readers.set(value, [...(readers.get(value) ?? []), reader]);
  };
  for (const node of nodes) for (const value of inputsOf(node)) add(value, node);
  for (const { value } of outputs) add(value);
  return (value) => {
    const [reader, ...others] = readers.get(value) ?? [];
    return reader !== undefined && others.length === 0 && circuitOf(reader).takesProducts === true;
  };
}

/** The context is a public signal that no computation reads: a square gives it a place in the rows. */
function bindContext(circuit: CircuitBuilder, context: number): void {
  const [square = 0] = circuit.take("contextSquare", 1, false);
  circuit.rows.add({ a: wireSum(context), b: wireSum(context), c: wireSum(square) });
  circuit.plan.addStep(STEP.contextSquare, [square]);
}

/** Elements of the input that one node alone reads, and whose ranges its rows enforce. */
function findPinned(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): ReadonlySet<number> {
  const { input, nodes, outputs } = parameters.integerModel;
  const readers = nodes.filter((node) => inputsOf(node).includes(input.name));
  const [reader] = readers;
  const isShown = outputs.some(({ value }) => value === input.name);
  return readers.length === 1 && reader?.kind === "leaves" && !isShown
    ? pinnedElements(reader, parameters.bounds.get(input.name) ?? [])
    : new Set();
}

/**
 * The integers that the elements stand for, plus the offset of their layout. Every element is checked to be in exactly [minimum,
 * maximum] by its digits, but for those that are pinned.
 */
function addInput(parameters: {
  circuit: CircuitBuilder;
  input: ReturnType<typeof describeTensors>["input"];
  positions: readonly ElementPosition[];
  pinned: ReadonlySet<number>;
  /** whether more than their upper digits is read */
  isRead: boolean;
}): Sum[] {
  const { circuit, input, positions, pinned, isRead } = parameters;
  const { minimum, maximum } = input;
  return positions.map((position, index) => {
    const least = minimum + offsetOf(position);
    if (minimum === maximum) return constantSum(least);
    const slot = { wires: [ELEMENT_SLOT + index], coefficients: [1], constant: 0 };
    if (pinned.has(index)) return wireSum(circuit.unrangedWire(`element${index}`, slot));
    const distance = { ...slot, constant: -least };
    const digits = circuit.limitedDigits(`elementDigits${index}`, distance, maximum - minimum);
    const element = exactly([[1, digitSum(digits)]], least);
    circuit.keepDecomposition(element, { digits, least });
    return isRead ? circuit.wireOrSum(`element${index}`, element) : element;
  });
}

/** One row a word: what its elements pack to. */
function addWords(parameters: {
  circuit: CircuitBuilder;
  name: string;
  words: readonly number[];
  positions: readonly ElementPosition[];
  elements: readonly Sum[];
}): void {
  const { circuit, name, words, positions, elements } = parameters;
  const indicesOf = words.map((): number[] => []);
  for (const [index, { word }] of positions.entries()) indicesOf[word]?.push(index);
  for (const [word, wire] of words.entries()) {
    const indices = indicesOf[word] ?? [];
    let constant = 0n;
    const parts = indices.map((index) => {
      const { shift } = positions[index] as ElementPosition;
      const sum = elements[index] as Sum;
      constant += BigInt(sum.constant) << BigInt(shift);
      return [2 ** shift, { ...sum, constant: 0 }] as const;
    });
    const packed =
      combine(parts) ??
      // a value that is shown twice in a word: its wires have coefficients that are exact in no double
      exactly(
        parts.map(([factor, sum], position) => [
          factor,
          wireSum(circuit.wireOf(`${name}${word}x${position}`, sum)),
        ]),
      );
    const row = exactly([
      [1, packed],
      [-1, wireSum(wire)],
    ]);
    circuit.rows.addLinear(row, constant);
  }
}

const offsetOf = ({ bits, isSigned }: ElementPosition): number => (isSigned ? 2 ** (bits - 1) : 0);

function placesOf(positions: readonly ElementPosition[]): Uint32Array {
  return Uint32Array.from(positions.flatMap(({ word, shift }) => [word, shift]));
}
