import { randomBytes } from "node:crypto";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { hexlify } from "ethers";
import { type Repeat, repeatOf } from "../answers/answerFile.ts";
import { canonicalBytes } from "../json/canonicalJson.ts";
import { inputHashOf } from "../profile/hashes.ts";
import { readRequestBody, refused } from "./requestBody.ts";

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

export type LegacyTerms = {
  /** what is to become of the answer: in a batch on the chain, or nothing */
  settlement: "batch" | "private";
  /** what is signed of the request for the client, as hex with 0x */
  requestHash: string;
};

/** @throws RefusedRequestError naming the field */
export function parseChatRequest(parameters: {
  path: ChatRequest["path"];
  bytes: Uint8Array;
  header: (name: string) => string | undefined;
  models: ReadonlyMap<string, string>;
  /** members that are taken out, unread */
  drops?: readonly string[];
  /** throws where something stands in the body that must not */
  forbid?: (json: ReadonlyMap<string, unknown>) => void;
}): ChatRequest {
  const { header, path } = parameters;
  const { json, ...rest } = readRequestBody({ ...parameters, read: readStrictJson });
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
    ...{ path, body, salt, ...rest },
    isSalted: givenSalt !== undefined,
    inputHash: inputHashOf(salt, body),
    repeat: key === undefined ? undefined : repeatOf({ key, request }),
  };
}
