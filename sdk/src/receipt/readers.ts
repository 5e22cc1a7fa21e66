import { BaseError } from "@haca/protocol/baseError";

/** Reads a value of JSON at a path. Error: `format.malformed`, which names path and reason. */
export type Reader<T> = (value: unknown, path: string) => T;

export function malformed(path: string, reason: string): BaseError {
  return new BaseError({
    code: "format.malformed",
    message: `${path}: ${reason}`,
    details: { path },
  });
}

/** What a file of JSON says. @throws BaseError `format.malformed` */
export function jsonOf(written: string, path: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    throw malformed(path, "is not JSON");
  }
}

const HEX = /^0x(?:[0-9a-f]{2})*$/;
const DECIMAL = /^(?:0|[1-9][0-9]*)$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Bytes as lower-case hex, of a length or of a range of lengths. */
export const hex =
  (least: number, most: number = least): Reader<string> =>
  (value, path) => {
    if (typeof value !== "string" || !HEX.test(value)) {
      throw malformed(path, "must be 0x and lower-case hex, two digits a byte");
    }
    const length = (value.length - 2) / 2;
    if (length >= least && length <= most) return value;
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    throw malformed(path, `must be ${expected} bytes, has ${length}`);
  };

/** The same in either case, as people copy it. */
export const bytesOf =
  (length: number): Reader<string> =>
  (value, path) =>
    hex(length)(typeof value === "string" ? value.toLowerCase() : value, path);

/** A number of so many bits, in decimal digits without leading zeros. */
export const decimal =
  (bits: number): Reader<string> =>
  (value, path) => {
    if (typeof value !== "string" || value.length > 78 || !DECIMAL.test(value)) {
      throw malformed(path, "must be a text of decimal digits without leading zeros");
    }
    if (BigInt(value) >> BigInt(bits) === 0n) return value;
    throw malformed(path, `must be below 2^${bits}`);
  };

export const text =
  (most: number): Reader<string> =>
  (value, path) => {
    if (typeof value !== "string") throw malformed(path, "must be a text");
    if (value.length > most) throw malformed(path, `must have ${most} characters at most`);
    if (LONE_SURROGATE.test(value)) throw malformed(path, "has half of a surrogate pair");
    return value;
  };

export const literal =
  <T extends string>(expected: T): Reader<T> =>
  (value, path) => {
    if (value === expected) return expected;
    throw malformed(path, `must be ${JSON.stringify(expected)}`);
  };

export const oneOfTexts =
  <T extends string>(known: readonly T[]): Reader<T> =>
  (value, path) => {
    const found = known.find((text) => text === value);
    if (found !== undefined) return found;
    throw malformed(path, `must be ${known.join(" or ")}`);
  };

export const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, path) =>
    value === null ? null : read(value, path);

export const list =
  <T>(read: Reader<T>, least: number, most: number): Reader<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw malformed(path, "must be a list");
    if (value.length < least || value.length > most) {
      const expected = least === most ? `${least}` : `${least} to ${most}`;
      throw malformed(path, `must have ${expected} entries, has ${value.length}`);
    }
    return value.map((entry, index) => read(entry, `${path}[${index}]`));
  };

/** An object with these fields, and no other; `optional` names those that may be missing. */
export const object =
  <T extends object>(
    fields: { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> },
    optional: readonly (keyof T & string)[] = [],
  ): Reader<T> =>
  (value, path) => {
    const entries = entriesOf(value, path);
    const names = Object.keys(fields) as (keyof T & string)[];
    const unknown = [...entries.keys()].find((name) => !names.some((known) => known === name));
    if (unknown !== undefined) throw malformed(path, `unknown field ${JSON.stringify(unknown)}`);
    const missing = names.find((name) => !entries.has(name) && !optional.includes(name));
    if (missing !== undefined) throw malformed(path, `the field ${missing} is missing`);
    return Object.fromEntries(
      names
        .filter((name) => entries.has(name))
        .map((name) => [name, fields[name](entries.get(name), `${path}.${name}`)]),
    ) as T;
  };

/** Values by names of a caller's choice. */
export const named =
  <T>(read: Reader<T>, limits: { entries: number; name: number }): Reader<Record<string, T>> =>
  (value, path) => {
    const entries = entriesOf(value, path);
    if (entries.size > limits.entries) {
      throw malformed(path, `must have ${limits.entries} entries at most`);
    }
    const readName = text(limits.name);
    return Object.fromEntries(
      [...entries].map(([name, entry]) => [
        readName(name, `a name in ${path}`),
        read(entry, `${path}[${JSON.stringify(name)}]`),
      ]),
    );
  };

/** One of several kinds of object, told apart by the field `type`. */
export const oneOf =
  <T>(kinds: Readonly<Record<string, Reader<T>>>): Reader<T> =>
  (value, path) => {
    const type = entriesOf(value, path).get("type");
    const read = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
    if (read !== undefined) return read(value, path);
    throw malformed(`${path}.type`, `must be ${Object.keys(kinds).join(" or ")}`);
  };

function entriesOf(value: unknown, path: string): ReadonlyMap<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value));
  }
  throw malformed(path, "must be an object");
}
