import { lengthOf, sliceHex } from "../bytes.ts";
import { chainError } from "./jsonRpc.ts";

export const WORD_LENGTH = 32;

/** An answer of a contract in the ABI's encoding; whatever leads out of it throws. */
export class Words {
  readonly #hex: string;

  constructor(hex: string) {
    this.#hex = hex;
  }

  /** The word so many places behind a byte. */
  word(start: number, place = 0): string {
    const from = start + WORD_LENGTH * place;
    if (from + WORD_LENGTH > lengthOf(this.#hex)) throw wrongAnswer();
    return sliceHex(this.#hex, from, from + WORD_LENGTH);
  }

  /** Of 32 bits at most. */
  number(start: number, place = 0): number {
    const value = BigInt(this.word(start, place));
    if (value >> 32n !== 0n) throw wrongAnswer();
    return Number(value);
  }

  /** Where something begins that a word says the distance of, from `base` on. */
  at(start: number, place = 0, base = 0): number {
    return base + this.number(start, place);
  }

  /** Bytes with their length before them. */
  bytes(start: number): string {
    const [from, length] = [start + WORD_LENGTH, this.number(start)];
    if (from + length > lengthOf(this.#hex)) throw wrongAnswer();
    return sliceHex(this.#hex, from, from + length);
  }
}

export const wrongAnswer = () =>
  chainError("badAnswer", "a registry answers something else than it should");
