import { isObject, type Json, NumberText } from "@haca/protocol/json/json";

/** JSON of what `readLegacyJson` has read, with numbers as they were written: what goes upstream is what is hashed. */
export function legacyJson(value: Json<NumberText>): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(legacyJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = [...value].map(([key, member]) => `${JSON.stringify(key)}:${legacyJson(member)}`);
  return `{${members.join(",")}}`;
}
