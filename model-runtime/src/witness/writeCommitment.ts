import { BaseError } from "@haca/protocol/baseError";
import { absorbInput, type CommittedInput } from "@haca/protocol/inputCommitment";
import { FULL_ROUNDS } from "@haca/protocol/poseidon";
import { FIELD_ORDER } from "./field.ts";
import { spongeWires } from "./spongeWires.ts";

/**
 * Writes the words, the salt and every value of the sponge to their wires. Throws `witness.unsatisfiable` for a commitment that is to
 * something else, and for a salt that is none.
 */
export function writeCommitment(parameters: {
  inputWords: readonly bigint[];
  /** one, or none where the circuit takes none */
  salt: readonly bigint[];
  /** the one that is to be shown */
  commitment: readonly bigint[];
  wide: Map<number, bigint>;
  firstWord: number;
  saltWire: number;
  firstSponge: number;
}): void {
  const { commitment, firstSponge, firstWord, inputWords, saltWire, wide } = parameters;
  const [salt] = parameters.salt;
  const input: CommittedInput = {
    mode: salt === undefined ? "committed" : "salted",
    words: inputWords,
    salt,
  };
  for (const [index, word] of inputWords.entries()) wide.set(firstWord + index, word);
  if (salt !== undefined) wide.set(saltWire, salt);
  const sponge = spongeWires({ mode: input.mode, words: inputWords.length }, firstSponge);
  const firstPartial = FULL_ROUNDS / 2;
  const state = absorb(input, (permutation, round, elements) => {
    const isPartial = round >= firstPartial && round < firstPartial + sponge.partialRounds;
    const raised = isPartial ? elements.slice(0, 1) : elements;
    for (const [index, element] of raised.entries()) {
      if (permutation + round === 0 && (index === 0 || index > sponge.taken)) continue;
      const wire = sponge.power(permutation, round, index);
      const square = (element * element) % FIELD_ORDER;
      wide.set(wire, element);
      wide.set(wire + 1, square);
      wide.set(wire + 2, (square * square) % FIELD_ORDER);
    }
    if (round !== firstPartial) return;
    for (const [index, element] of elements.entries()) {
      if (index > 0) wide.set(sponge.carried(permutation, index), element);
    }
  });
  for (const [index, element] of state.entries()) {
    if (index !== 1) wide.set(sponge.rest(index), element);
  }
  if (state[1] !== commitment[0]) {
    throw unsatisfiable("the commitment is not that of the input's words and salt");
  }
}

function absorb(...parameters: Parameters<typeof absorbInput>): bigint[] {
  try {
    return absorbInput(...parameters);
  } catch (cause) {
    if (cause instanceof BaseError) throw unsatisfiable(cause.message, cause);
    throw cause;
  }
}

const unsatisfiable = (message: string, cause?: unknown): BaseError =>
  new BaseError({ code: "witness.unsatisfiable", message, cause });
