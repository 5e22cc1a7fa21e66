import { BaseError } from "./baseError.ts";
import type { CommittedMode } from "./inputMode.ts";
import { WORD_BITS } from "./packedWords.ts";
import { poseidonPermutation, powersOf, WIDTHS } from "./poseidon.ts";
import { SIGNAL_LIMIT } from "./scalarField.ts";

/** Words that a tag has room for. */
const MAXIMUM_WORDS = 2 ** 16 - 1;

/** First bits of every tag: "HACA input" in ASCII. */
const DOMAIN = 0x48414341_20696e707574n;
const MODE_CODES: Record<CommittedMode, bigint> = { committed: 1n, salted: 2n };

/** A salt below it was not drawn: one of 128 random bits is, once in four thousand million times. */
const LEAST_SALT = 1n << 96n;

/** What is hashed: how many words under which mode. */
export type CommitmentShape = { mode: CommittedMode; words: number };

/** Elements that go into the sponge: the words, and a salt before them. */
export const elementCount = ({ mode, words }: CommitmentShape): number =>
  words + (mode === "salted" ? 1 : 0);

/** The sponge of a shape: the same for everybody who has the shape. */
export type InputSponge = {
  /** elements of its state: the first holds the tag, the others take the input */
  width: number;
  permutations: number;
  tag: bigint;
};

/**
 * The sponge with the fewest powers of five, which is what a circuit pays for; the narrower of two. Mode and number of words are in its
 * tag, so that equal words under another mode or in another number have another commitment, and nothing needs padding.
 *
 * Throws `commitment.tooManyWords`.
 */
export function inputSponge({ mode, words }: CommitmentShape): InputSponge {
  if (words < 1 || words > MAXIMUM_WORDS) {
    throw new BaseError({
      code: "commitment.tooManyWords",
      message: `an input of 1 to ${MAXIMUM_WORDS} words can be committed, this one has ${words}`,
    });
  }
  const count = elementCount({ mode, words });
  let [width, permutations, least] = [0, 0, Number.POSITIVE_INFINITY];
  // with room for one element beside the tag at least
  for (let candidate = WIDTHS.minimum; candidate <= WIDTHS.maximum; candidate++) {
    const times = Math.ceil(count / (candidate - 1));
    const powers = times * powersOf(candidate);
    if (powers < least) [width, permutations, least] = [candidate, times, powers];
  }
  return { width, permutations, tag: (DOMAIN << 32n) | (MODE_CODES[mode] << 16n) | BigInt(words) };
}

/** A committed input: words below 2^248, as they are packed, and the salt where the mode has one. */
export type CommittedInput = {
  mode: CommittedMode;
  words: readonly bigint[];
  salt?: bigint | undefined;
};

/** Sees the elements of every round of every permutation, as `poseidonPermutation` shows them. */
export type RoundWatcher = (
  permutation: number,
  round: number,
  elements: readonly bigint[],
) => void;

/**
 * The state of the sponge when it has taken everything; its second element is the commitment.
 *
 * Throws `salt.missing`, `salt.unexpected`, `salt.invalid`, `commitment.wordOutOfRange` and `commitment.tooManyWords`.
 */
export function absorbInput(input: CommittedInput, onRound: RoundWatcher = () => {}): bigint[] {
  const { mode, salt, words } = input;
  const outside = words.findIndex((word) => word < 0n || word >= 1n << BigInt(WORD_BITS));
  if (outside !== -1) {
    throw new BaseError({
      code: "commitment.wordOutOfRange",
      message: `word ${outside} must be in [0, 2^${WORD_BITS})`,
    });
  }
  const { width, permutations, tag } = inputSponge({ mode, words: words.length });
  requireSalt(input);
  const elements = salt === undefined ? words : [salt, ...words];
  let state = [tag, ...new Array<bigint>(width - 1).fill(0n)];
  for (let permutation = 0; permutation < permutations; permutation++) {
    const start = permutation * (width - 1);
    const taken = elements.slice(start, start + width - 1);
    state = state.map((element, index) => (element + (taken[index - 1] ?? 0n)) % SIGNAL_LIMIT);
    state = poseidonPermutation(state, (round, given) => onRound(permutation, round, given));
  }
  return state;
}

/**
 * The commitment to an input: any number below the field's order, in the place that the input's words have in a proof. Throws as
 * `absorbInput`.
 */
export function commitInput(input: CommittedInput): bigint {
  const [, commitment = 0n] = absorbInput(input);
  return commitment;
}

/** A salt of 248 random bits: for one request, never for two. */
export function drawSalt(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(WORD_BITS / 8));
  const salt = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return salt < LEAST_SALT ? drawSalt() : salt;
}

/** A salt as text: 0x and 64 hex digits. */
export const saltText = (salt: bigint): string => `0x${salt.toString(16).padStart(64, "0")}`;

/** Reads what `saltText` writes. Throws `salt.invalid`. */
export function parseSalt(text: string): bigint {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw saltInvalid("must be 0x and 64 hex digits");
  const salt = BigInt(text);
  requireSaltRange(salt);
  return salt;
}

function requireSalt({ mode, salt }: CommittedInput): void {
  if (mode === "salted" && salt === undefined) {
    throw new BaseError({
      code: "salt.missing",
      message: "salt: the input is committed with one, which the request has to bring",
    });
  }
  if (mode === "committed" && salt !== undefined) {
    throw new BaseError({ code: "salt.unexpected", message: "salt: the model takes none" });
  }
  if (salt !== undefined) requireSaltRange(salt);
}

function requireSaltRange(salt: bigint): void {
  if (salt >= SIGNAL_LIMIT) throw saltInvalid(`must be below ${SIGNAL_LIMIT}`);
  if (salt < LEAST_SALT) {
    throw saltInvalid("has too few random bits: draw 128 or more, for every request anew");
  }
}

const saltInvalid = (reason: string): BaseError =>
  new BaseError({ code: "salt.invalid", message: `salt: ${reason}` });
