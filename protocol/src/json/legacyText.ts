import { isObject, type Json, NumberText } from "./json.ts";

const SHORT: Readonly<Record<string, string>> = {
  ...{ '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" },
};
const ESCAPED = /["\\]|[^ -~]/g;
/** Where the public network's texts go over to exponents. */
const LEAST_DECIMAL = 1e-4;
const LEAST_EXPONENT = 1e16;

/**
 * The text whose hash the public network's clients compare: keys in the order of their code points, `", "` and `": "` between
 * parts, ASCII alone, numbers in the class in which they came: integers in full, everything else as the shortest decimal
 * that reads back to the same double.
 */
export function legacyText(value: Json<NumberText>): string {
  if (value instanceof NumberText) return numberText(value.text);
  if (typeof value === "string") return stringText(value);
  if (Array.isArray(value)) return `[${value.map(legacyText).join(", ")}]`;
  if (!isObject(value)) return String(value);
  const members = [...value].sort(([a], [b]) => byCodePoint(a, b));
  return `{${members.map(([key, member]) => `${stringText(key)}: ${legacyText(member)}`).join(", ")}}`;
}

const stringText = (text: string): string =>
  `"${text.replace(ESCAPED, (unit) => SHORT[unit] ?? unicodeEscape(unit))}"`;

const unicodeEscape = (unit: string): string =>
  `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** UTF-16 units would put what lies above U+FFFF before U+E000. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (const [i, character] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const difference = (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function numberText(literal: string): string {
  // An integer is in full already, but for the sign of zero, which an integer does not have.
  if (!/[.eE]/.test(literal)) return literal === "-0" ? "0" : literal;
  const value = Number(literal);
  if (Object.is(value, -0)) return "-0.0";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (value === 0 || (size >= LEAST_DECIMAL && size < LEAST_EXPONENT)) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const [sign = "", ...rest] = exponent;
  return `${digits}e${sign}${rest.join("").padStart(2, "0")}`;
}
