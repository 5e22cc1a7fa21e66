import { BaseError } from "../baseError.ts";
import { type Json, NumberText } from "./json.ts";

/** Nested lists and objects at most: more is an attack on whoever reads it after us. */
const MAXIMUM_DEPTH = 64;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
/** Characters of a string that need no care. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them raw
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" },
};
/** By code points, a pair is none. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What two profiles make of the same text. */
type Rules<Number> = {
  /** of a literal, and whether it is an integer's: without point and exponent; undefined refuses it */
  number: (literal: string, isInteger: boolean) => Number | undefined;
  allowsDuplicates: boolean;
  allowsLoneSurrogates: boolean;
};

/** A text that is not taken; says where and why, and nothing of what stands in it. */
export class MalformedJsonError extends BaseError {
  constructor(reason: string, at?: number) {
    const place = at === undefined ? "" : ` at character ${at}`;
    super({ code: "json.malformed", message: `${reason}${place}` });
  }
}

/**
 * Reads I-JSON as `haca-1` wants it: UTF-8 without a byte order mark; no key twice in an object, after unescaping; no lone
 * surrogate; finite numbers; integers of at most 53 bits, where they are written as integers.
 * @throws MalformedJsonError
 */
export const readStrictJson = (bytes: Uint8Array): Json =>
  new Reader(decode(bytes), {
    number(literal, isInteger) {
      const value = Number(literal);
      return Number.isFinite(value) && (!isInteger || Number.isSafeInteger(value))
        ? value
        : undefined;
    },
    allowsDuplicates: false,
    allowsLoneSurrogates: false,
  }).document();

/**
 * Reads JSON as the public network's gateway does: numbers of any size, kept as they were written; of a key that comes
 * twice the last counts; lone surrogates where they are escaped.
 * @throws MalformedJsonError
 */
export const readLegacyJson = (bytes: Uint8Array): Json<NumberText> =>
  new Reader<NumberText>(decode(bytes), {
    number: (literal) => new NumberText(literal),
    allowsDuplicates: true,
    allowsLoneSurrogates: true,
  }).document();

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedJsonError("is not UTF-8");
  }
}

class Reader<Number> {
  readonly #text: string;
  readonly #rules: Rules<Number>;
  #at = 0;

  constructor(text: string, rules: Rules<Number>) {
    this.#text = text;
    this.#rules = rules;
  }

  document(): Json<Number> {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#refuse("something follows the value");
    return value;
  }

  #value(depth: number): Json<Number> {
    this.#space();
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === "{" || first === "[") {
      if (depth === MAXIMUM_DEPTH) this.#refuse(`nested more than ${MAXIMUM_DEPTH} deep`);
      this.#at += 1;
      return first === "{" ? this.#object(depth + 1) : this.#list(depth + 1);
    }
    if (this.#takes("true")) return true;
    if (this.#takes("false")) return false;
    if (this.#takes("null")) return null;
    return this.#number();
  }

  #object(depth: number): Map<string, Json<Number>> {
    const object = new Map<string, Json<Number>>();
    this.#space();
    if (this.#takes("}")) return object;
    for (;;) {
      this.#space();
      const start = this.#at;
      if (this.#text[start] !== '"') this.#refuse("a key must be a string");
      const key = this.#string();
      if (object.has(key) && !this.#rules.allowsDuplicates) {
        this.#refuse("a key that the object has already", start);
      }
      this.#space();
      if (!this.#takes(":")) this.#refuse("a colon is missing");
      object.set(key, this.#value(depth));
      this.#space();
      if (this.#takes("}")) return object;
      if (!this.#takes(",")) this.#refuse("a comma or the end of the object is missing");
    }
  }

  #list(depth: number): Json<Number>[] {
    const list: Json<Number>[] = [];
    this.#space();
    if (this.#takes("]")) return list;
    for (;;) {
      list.push(this.#value(depth));
      this.#space();
      if (this.#takes("]")) return list;
      if (!this.#takes(",")) this.#refuse("a comma or the end of the list is missing");
    }
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let value = "";
    let isEscaped = false;
    for (;;) {
      PLAIN.lastIndex = this.#at;
      PLAIN.exec(this.#text);
      value += this.#text.slice(this.#at, PLAIN.lastIndex);
      this.#at = PLAIN.lastIndex;
      const character = this.#text[this.#at];
      if (character === '"') break;
      if (character !== "\\") this.#refuse("a string with a control character, or without an end");
      isEscaped = true;
      value += this.#escape();
    }
    this.#at += 1;
    // The text itself came as UTF-8, which has none.
    if (isEscaped && !this.#rules.allowsLoneSurrogates && LONE_SURROGATE.test(value)) {
      this.#refuse("a string with a lone surrogate", start);
    }
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter !== "u") {
      const character = ESCAPES[letter] ?? this.#refuse("an unknown escape");
      this.#at += 2;
      return character;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#refuse("an escape without four hex digits");
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): Number {
    const start = this.#at;
    NUMBER.lastIndex = start;
    const found = NUMBER.exec(this.#text);
    if (found === null) this.#refuse("no value");
    const [literal, fraction, exponent] = found;
    this.#at += literal.length;
    const number = this.#rules.number(literal, fraction === undefined && exponent === undefined);
    return number ?? this.#refuse("a number that a double does not hold", start);
  }

  #takes(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #space(): void {
    for (; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character !== " " && character !== "\n" && character !== "\r" && character !== "\t")
        return;
    }
  }

  #refuse(reason: string, at = this.#at): never {
    throw new MalformedJsonError(reason, at);
  }
}
