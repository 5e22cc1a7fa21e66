import { canonicalBytes } from "@haca/gateway/json/canonicalJson";
import { isObject } from "@haca/gateway/json/json";
import { legacyText } from "@haca/gateway/json/legacyText";
import { readLegacyJson, readStrictJson } from "@haca/gateway/json/readJson";
import { inputHashOf, outputHashOf } from "@haca/gateway/profile/hashes";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify, id, toUtf8Bytes } from "ethers";
import { ANSWERS, TEXTS } from "./inputs.ts";

const SALT = id("salt");

/** Files of `docs/receipts/vectors/`, by name: what the code makes of the inputs. Bytes are hex; a refusal has its reason. */
export function makeVectors(): ReadonlyMap<string, string> {
  return new Map([
    ["haca-1.json", textOf({ salt: SALT, requests: requests(), answers: answers() })],
    ["legacy.json", textOf({ texts: legacyTexts() })],
  ]);
}

const textOf = (vectors: object): string => `${JSON.stringify(vectors, null, 2)}\n`;

const requests = () =>
  each(TEXTS, (bytes) => {
    const canonical = canonicalBytes(readStrictJson(bytes));
    return { canonical: hexlify(canonical), inputHash: inputHashOf(SALT, canonical) };
  });

const answers = () =>
  Object.entries(ANSWERS).map(([name, answer]) => {
    const parsed = readStrictJson(toUtf8Bytes(answer));
    if (!isObject(parsed)) throw new Error(`the answer ${name} is no object`);
    return { name, answer, outputHash: outputHashOf(parsed) };
  });

const legacyTexts = () =>
  each(TEXTS, (bytes) => {
    const text = legacyText(readLegacyJson(bytes));
    return { text, hash: id(text) };
  });

const each = (
  inputs: Readonly<Record<string, Uint8Array>>,
  make: (bytes: Uint8Array) => object,
): object[] =>
  Object.entries(inputs).map(([name, bytes]) => ({
    name,
    bytes: hexlify(bytes),
    ...tried(make, bytes),
  }));

function tried(make: (bytes: Uint8Array) => object, bytes: Uint8Array): object {
  try {
    return make(bytes);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { refused: error.message };
  }
}
