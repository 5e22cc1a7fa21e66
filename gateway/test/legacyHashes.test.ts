import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, type JsonObject, type NumberText } from "@haca/protocol/json/json";
import { readLegacyJson } from "@haca/protocol/json/readJson";
import { legacyRequestText } from "@haca/protocol/legacyRequest";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { id, toUtf8Bytes } from "ethers";
import { expect, it } from "vitest";
import { legacyOutputHash } from "../src/profile/legacyAnswer.ts";

const FIXTURES = process.env.HACA_FIXTURES ?? join(import.meta.dirname, "../../../shared/fixtures");
const PATH = join(FIXTURES, "legacy/vectors.json");
const REQUESTS = ["plain", "no_temperature_ignored_fields", "unicode", "tools"];

/** As the wire has it: a number of the vectors keeps its text. */
function objectIn(json: JsonObject<NumberText>, key: string): JsonObject<NumberText> {
  const value = json.get(key);
  if (!isObject(value)) throw new Error(`${key} is no object`);
  return value;
}

it.skipIf(!existsSync(PATH))(
  "hashes are those of the public network's client (skipped where HACA_FIXTURES has no legacy/vectors.json)",
  () => {
    const vectors = readLegacyJson(readFileSync(PATH));
    if (!isObject(vectors)) throw new Error("no vectors");
    for (const name of REQUESTS) {
      const vector = objectIn(vectors, name);
      for (const form of ["body", "wire"]) {
        const text = legacyRequestText(objectIn(vector, form), "chat");
        expect(text).toBe(vector.get("canonical_utf8"));
        expect(id(text).slice(2)).toBe(vector.get("request_hash"));
      }
    }
    const said = objectIn(vectors, "_output_text");
    const text = JSON.stringify({ content: said.get("text") });
    const message = readLegacyJson(toUtf8Bytes(text));
    expect(isObject(message) && legacyOutputHash(message, "stop").slice(2)).toBe(said.get("hash"));
    const called = objectIn(vectors, "_output_tool_calls");
    expect(legacyOutputHash(called, "tool_calls").slice(2)).toBe(called.get("hash"));
    const signed = objectIn(vectors, "_message");
    const hash = legacyMessageHash({
      inputHash: `0x${signed.get("input_hash")}`,
      outputHash: `0x${signed.get("output_hash")}`,
      timestamp: 1_700_000_000n,
    });
    expect(hash.slice(2)).toBe(signed.get("message"));
  },
);
