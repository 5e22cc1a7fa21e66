import { isObject, type Json } from "@haca/protocol/json/json";

/**
 * The text of RFC 8785 (JSON Canonicalization Scheme): no white space, keys in the order of their UTF-16 units, strings and
 * numbers as ECMAScript writes them. What is given is of `readStrictJson`, or as good: well-formed strings, finite numbers.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  // Without a comparison of its own, sort goes by UTF-16 units, as the RFC does.
  const keys = [...value.keys()].sort();
  const members = keys.map((key) => {
    return `${JSON.stringify(key)}:${canonicalJson(value.get(key) ?? null)}`;
  });
  return `{${members.join(",")}}`;
}

const encoder = new TextEncoder();

/** The same as UTF-8: the bytes that are hashed and sent. */
export const canonicalBytes = (value: Json): Uint8Array => encoder.encode(canonicalJson(value));
