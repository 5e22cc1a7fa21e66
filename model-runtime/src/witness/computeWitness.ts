import { BaseError } from "@haca/protocol/baseError";
import { FIELD_ORDER } from "./field.ts";
import { hiddenInputOf, STEP, STEP_LENGTH, type WitnessPlan } from "./witnessPlan.ts";
import { writeCommitment } from "./writeCommitment.ts";

/** What a circuit is given: decimal strings by name, as `circuitInput` makes them. */
export type WitnessSignals = Readonly<Record<string, string | readonly string[]>>;

/** Every wire of a circuit: exact integers, but for the few that are too wide for a double. */
export type Witness = { values: Float64Array; wide: ReadonlyMap<number, bigint> };

const SIGNALS = ["inputWords", "outputWords", "context", "elements", "commitment", "salt"] as const;

/**
 * Computes every wire of a circuit from its public signals and the elements of its input. What it returns satisfies
 * every row of the circuit: an element out of range, words that are not those of the elements or of what the circuit
 * computes, and a commitment to others are refused.
 *
 * Throws `witness.unsatisfiable`, and `witness.inputInvalid` for signals that are missing, unknown or of a wrong length.
 */
export function computeWitness(parameters: {
  plan: WitnessPlan;
  signals: WitnessSignals;
}): Witness {
  const { plan } = parameters;
  const given = readSignals(parameters);
  const { wireCount, steps, limits } = plan;
  const values = new Float64Array(wireCount + given.elements.length);
  const wide = new Map<number, bigint>();
  values[0] = 1;
  const hidden = hiddenInputOf(plan);
  const shown = hidden === undefined ? given.inputWords : given.commitment;
  const signals = [...shown, ...given.outputWords, given.context];
  for (const [index, signal] of signals.entries()) wide.set(1 + index, signal);
  for (const [index, element] of given.elements.entries()) {
    // what is wider fails the check of its digits as well
    values[wireCount + index] = Number(element);
  }
  requireWords({
    words: given.inputWords,
    places: plan.inputPlaces,
    elements: given.elements,
    name: "inputWords",
  });
  const results: bigint[] = [];
  for (let step = 0; step < limits.length; step++) {
    const [kind = -1, a = 0, b = 0, c = 0, d = 0] = steps.subarray(
      step * STEP_LENGTH,
      (step + 1) * STEP_LENGTH,
    );
    switch (kind) {
      case STEP.sum:
        values[a] = sumOf(plan, values, b);
        break;
      case STEP.digits:
        writeDigits({
          values,
          first: a,
          width: b,
          number: sumOf(plan, values, c),
          limit: limits[step] ?? 0,
        });
        break;
      case STEP.product:
        values[a] = sumOf(plan, values, b) * sumOf(plan, values, c);
        break;
      case STEP.choice: {
        const scores = Array.from({ length: d }, (_, index) => sumOf(plan, values, c + index));
        const winner = scores.indexOf(scores.reduce((most, score) => Math.max(most, score)));
        values[a + winner] = 1;
        values[b] = scores[winner] as number;
        break;
      }
      case STEP.place: {
        let last = -1;
        for (let index = 0; index < c; index++) {
          if (sumOf(plan, values, b + index) >= 0) last = index;
        }
        if (last >= 0) values[a + last] = 1;
        break;
      }
      case STEP.results:
        for (let index = 0; index < b; index++) {
          results.push(BigInt(sumOf(plan, values, a + index)));
        }
        break;
      case STEP.commitment:
        writeCommitment({ ...given, wide, firstWord: a, saltWire: b, firstSponge: c });
        break;
      case STEP.contextSquare:
        wide.set(a, (given.context * given.context) % FIELD_ORDER);
        break;
      default:
        throw new BaseError({
          code: "witnessPlan.malformed",
          message: `step ${step} is of an unknown kind, ${kind}`,
        });
    }
  }
  requireWords({
    words: given.outputWords,
    places: plan.outputPlaces,
    elements: results,
    name: "outputWords",
  });
  return { values: values.subarray(0, wireCount), wide };
}

function sumOf(plan: WitnessPlan, values: Float64Array, index: number): number {
  const { starts, slots, coefficients, constants } = plan;
  let sum = constants[index] as number;
  const end = starts[index + 1] as number;
  for (let at = starts[index] as number; at < end; at++) {
    sum += (coefficients[at] as number) * (values[slots[at] as number] as number);
  }
  return sum;
}

function writeDigits(parameters: {
  values: Float64Array;
  first: number;
  width: number;
  number: number;
  limit: number;
}): void {
  const { values, first, width, number, limit } = parameters;
  if (!(number >= 0 && number <= limit)) {
    throw unsatisfiable(`a number of wires ${first} to ${first + width - 1} is out of range`);
  }
  let rest = number;
  for (let index = 0; index < width; index++) {
    const half = Math.floor(rest / 2);
    values[first + index] = rest - 2 * half;
    rest = half;
  }
}

function requireWords(parameters: {
  words: readonly bigint[];
  places: Uint32Array;
  elements: readonly bigint[];
  name: string;
}): void {
  const { words, places, elements, name } = parameters;
  const packed = new Array<bigint>(words.length).fill(0n);
  for (const [index, element] of elements.entries()) {
    const word = places[2 * index] ?? 0;
    packed[word] = (packed[word] ?? 0n) + (element << BigInt(places[2 * index + 1] ?? 0));
  }
  const wrong = words.findIndex((word, index) => (packed[index] ?? 0n) % FIELD_ORDER !== word);
  if (wrong !== -1) {
    throw unsatisfiable(`${name}[${wrong}] is not what the circuit packs`);
  }
}

type GivenSignals = Record<Exclude<(typeof SIGNALS)[number], "context">, bigint[]> & {
  context: bigint;
};

function readSignals(parameters: { plan: WitnessPlan; signals: WitnessSignals }): GivenSignals {
  const { plan, signals } = parameters;
  const unknown = Object.keys(signals).find((name) => !SIGNALS.some((known) => known === name));
  if (unknown !== undefined) {
    throw inputInvalid(`the circuit has no input signal ${JSON.stringify(unknown)}`);
  }
  const read = (name: (typeof SIGNALS)[number], length: number): bigint[] => {
    const given = signals[name] ?? [];
    const list = typeof given === "string" ? [given] : given;
    if (list.length !== length) {
      throw inputInvalid(`${name} has ${length} elements, got ${list.length}`);
    }
    return list.map((text) => {
      try {
        const rest = BigInt(text) % FIELD_ORDER;
        return rest < 0n ? rest + FIELD_ORDER : rest;
      } catch (cause) {
        throw inputInvalid(`${name} has an element that is no integer`, cause);
      }
    });
  };
  const [context = 0n] = read("context", 1);
  const hidden = hiddenInputOf(plan);
  return {
    inputWords: read("inputWords", plan.inputWords),
    outputWords: read("outputWords", plan.outputWords),
    elements: read("elements", plan.inputPlaces.length / 2),
    commitment: read("commitment", hidden === undefined ? 0 : 1),
    salt: read("salt", hidden === undefined || hidden.salt === 0 ? 0 : 1),
    context,
  };
}

function unsatisfiable(message: string): BaseError {
  return new BaseError({ code: "witness.unsatisfiable", message });
}

function inputInvalid(message: string, cause?: unknown): BaseError {
  return new BaseError({ code: "witness.inputInvalid", message, cause });
}
