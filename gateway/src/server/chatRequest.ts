import { randomBytes } from "node:crypto";
import { hexlify } from "ethers";
import { type Repeat, repeatOf } from "../answers/answerFile.ts";
import { RefusedRequestError } from "../gatewayError.ts";
import { canonicalBytes } from "../json/canonicalJson.ts";
import { isObject } from "../json/json.ts";
import { MalformedJsonError, readStrictJson } from "../json/readJson.ts";
import { inputHashOf } from "../profile/hashes.ts";

const SALT = /^0x[0-9a-fA-F]{64}$/;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** A request that can be answered. */
export type ChatRequest = {
  path: "chat/completions" | "completions";
  /** canonical: what is hashed and sent upstream */
  body: Uint8Array;
  isStream: boolean;
  /** the name under which the client asks for it */
  model: string;
  modelVersion: string;
  /** 32 bytes as hex, of the client or made here; empty in a profile without */
  salt: string;
  /** whether it is the client's */
  isSalted: boolean;
  inputHash: string;
  /** where the client gave a key, so that it can ask again */
  repeat: Repeat | undefined;
  /** of a request that is answered in the profile `legacy` */
  legacy?: LegacyTerms;
};

/** The name by which the client asked for the model, and what is to become of the answer: in a batch on the chain, or nothing. */
export type LegacyTerms = { model: string; settlement: "batch" | "private" };

/** @throws RefusedRequestError naming the field */
export function parseChatRequest(parameters: {
  path: ChatRequest["path"];
  bytes: Uint8Array;
  header: (name: string) => string | undefined;
  models: ReadonlyMap<string, string>;
  /** members that are taken out, unread */
  drops?: readonly string[];
}): ChatRequest {
  const { bytes, drops = [], header, models, path } = parameters;
  const json = readBody(bytes);
  if (!isObject(json)) throw refused("body.malformed", "body", "must be an object");
  for (const name of drops) json.delete(name);
  const model = json.get("model");
  if (typeof model !== "string") throw refused("model.malformed", "model", "must be a text");
  const modelVersion = models.get(model);
  if (modelVersion === undefined) {
    throw refused("model.unknown", "model", "is none of those that GET /v1/models names");
  }
  const stream = json.get("stream") ?? false;
  if (typeof stream !== "boolean") throw refused("stream.malformed", "stream", "must be a boolean");
  const givenSalt = header("haca-salt");
  if (givenSalt !== undefined && !SALT.test(givenSalt)) {
    throw refused("salt.malformed", "haca-salt", "must be 0x and 64 hex digits");
  }
  const salt = givenSalt?.toLowerCase() ?? hexlify(randomBytes(32));
  const body = canonicalBytes(json);
  const key = header("idempotency-key");
  if (key !== undefined && !KEY.test(key)) {
    const reason = "must have 1 to 255 printable characters";
    throw refused("idempotency.malformed", "idempotency-key", reason);
  }
  const same = `${path}\n${givenSalt?.toLowerCase() ?? ""}\n`;
  const request = Buffer.concat([Buffer.from(same), body]);
  return {
    ...{ path, body, isStream: stream, model, modelVersion, salt },
    isSalted: givenSalt !== undefined,
    inputHash: inputHashOf(salt, body),
    repeat: key === undefined ? undefined : repeatOf({ key, request }),
  };
}

function readBody(bytes: Uint8Array) {
  try {
    return readStrictJson(bytes);
  } catch (error) {
    if (error instanceof MalformedJsonError) throw refused("body.malformed", "body", error.message);
    throw error;
  }
}

const refused = (code: string, field: string, reason: string): RefusedRequestError =>
  new RefusedRequestError({ status: 400, code, field, message: `${field}: ${reason}` });
