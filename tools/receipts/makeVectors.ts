import { canonicalBytes } from "@haca/gateway/json/canonicalJson";
import { inputHashOf, outputHashOf } from "@haca/gateway/profile/hashes";
import { legacyOutputHash } from "@haca/gateway/profile/legacyAnswer";
import { BaseError } from "@haca/protocol/baseError";
import { isObject, type JsonObject, type NumberText } from "@haca/protocol/json/json";
import { legacyText } from "@haca/protocol/json/legacyText";
import { readLegacyJson, readStrictJson } from "@haca/protocol/json/readJson";
import { legacyRequestText } from "@haca/protocol/legacyRequest";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { hexlify, id, toUtf8Bytes } from "ethers";
import { ANSWERS, TEXTS } from "./inputs.ts";
import {
  LEGACY_ANSWERS,
  LEGACY_COMPLETIONS,
  LEGACY_REQUESTS,
  LEGACY_TIMESTAMP,
} from "./legacyInputs.ts";

const SALT = id("salt");

/** Files of `docs/receipts/vectors/`, by name: what the code makes of the inputs. Bytes are hex; a refusal has its reason. */
export function makeVectors(): ReadonlyMap<string, string> {
  return new Map([
    ["haca-1.json", textOf({ salt: SALT, requests: requests(), answers: answers() })],
    [
      "legacy.json",
      textOf({
        texts: legacyTexts(),
        requests: legacyRequests(LEGACY_REQUESTS, "chat"),
        completions: legacyRequests(LEGACY_COMPLETIONS, "completion"),
        answers: legacyAnswers(),
      }),
    ],
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

const legacyRequests = (
  inputs: Readonly<Record<string, string>>,
  kind: "chat" | "completion",
): object[] =>
  Object.entries(inputs).map(([name, request]) => ({
    ...{ name, request },
    ...tried((bytes) => {
      const text = legacyRequestText(objectIn(bytes), kind);
      return { text, requestHash: id(text) };
    }, toUtf8Bytes(request)),
  }));

/** Each with the message that is signed over it and the request `plain`. */
const legacyAnswers = (): object[] => {
  const inputHash = id(
    legacyRequestText(objectIn(toUtf8Bytes(LEGACY_REQUESTS.plain ?? "")), "chat"),
  );
  return Object.entries(LEGACY_ANSWERS).map(([name, choice]) => {
    const parsed = objectIn(toUtf8Bytes(choice));
    const message = parsed.get("message");
    if (!isObject(message)) throw new Error(`the answer ${name} has no message`);
    const outputHash = legacyOutputHash(message, parsed.get("finish_reason") ?? null);
    const timestamp = LEGACY_TIMESTAMP;
    const signed = legacyMessageHash({ inputHash, outputHash, timestamp });
    return { name, choice, inputHash, outputHash, timestamp: String(timestamp), message: signed };
  });
};

function objectIn(bytes: Uint8Array): JsonObject<NumberText> {
  const json = readLegacyJson(bytes);
  if (!isObject(json)) throw new Error("no object");
  return json;
}

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
