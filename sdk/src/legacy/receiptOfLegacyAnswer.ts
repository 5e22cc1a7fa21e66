import { isObject, type Json, type JsonObject, NumberText } from "@haca/protocol/json/json";
import { readLegacyJson } from "@haca/protocol/json/readJson";
import { legacyOutputText } from "@haca/protocol/legacyOutputText";
import { legacyRequestText } from "@haca/protocol/legacyRequest";
import { keccak, toHex } from "../bytes.ts";
import { malformed } from "../receipt/readers.ts";
import { keyIn } from "../receipt/receiptOfAnswer.ts";
import { LEGACY_MEDIA_TYPE, type LegacyReceipt, readLegacyReceipt } from "./legacyReceipt.ts";

type Members = JsonObject<NumberText>;

/**
 * The receipt of a gateway's answer in the profile `legacy`. Takes the bytes as they were sent and came: the profile hashes numbers
 * as they are written. Says nothing of whether it is right: that is for `verify`.
 * @param parameters.kind `chat` if left out: the request was one of `/v1/chat/completions`
 * @param parameters.signingKey what `GET /signing-key` answers, parsed
 * @param parameters.document attestation document of the gateway's enclave
 * @throws BaseError `format.malformed`, `json.malformed` or `legacy.request`, where a receipt needs something else
 */
export function receiptOfLegacyAnswer(parameters: {
  request: Uint8Array | string;
  answer: Uint8Array | string;
  signingKey: unknown;
  document?: Uint8Array;
  kind?: "chat" | "completion";
  /** from which nothing is concluded */
  hints?: Readonly<Record<string, string>>;
}): LegacyReceipt {
  const { document, hints = {}, kind = "chat", signingKey } = parameters;
  const request = membersOf(parameters.request, "request");
  const answer = membersOf(parameters.answer, "answer");
  const documentHex = document === undefined ? undefined : toHex(document);
  return readLegacyReceipt({
    mediaType: LEGACY_MEDIA_TYPE,
    core: {
      message: {
        inputHash: hashIn(answer, "tee_request_hash"),
        outputHash: hashIn(answer, "tee_output_hash"),
        timestamp: digitsIn(answer, "tee_timestamp"),
        teeId: hashIn(answer, "tee_id"),
      },
      signature: signatureIn(answer),
      key: keyIn(signingKey).key,
      attestation: documentHex === undefined ? null : keccak(documentHex),
      input: { type: "text", text: legacyRequestText(request, kind) },
      output: { type: "text", text: outputIn(answer, kind) },
    },
    evidence: documentHex === undefined ? [] : [{ type: "attestation", document: documentHex }],
    hints,
  });
}

function membersOf(written: Uint8Array | string, path: string): Members {
  const bytes = typeof written === "string" ? new TextEncoder().encode(written) : written;
  const value = readLegacyJson(bytes);
  if (isObject(value)) return value;
  throw malformed(path, "must be an object");
}

function textIn(answer: Members, name: string): string {
  const value = answer.get(name);
  if (typeof value === "string") return value;
  throw malformed(`answer.${name}`, "must be a text");
}

/** With 0x before it, or without, as gateways write it. */
const hashIn = (answer: Members, name: string): string =>
  `0x${textIn(answer, name).toLowerCase().replace(/^0x/, "")}`;

function digitsIn(answer: Members, name: string): string {
  const value = answer.get(name);
  if (value instanceof NumberText) return value.text;
  throw malformed(`answer.${name}`, "must be a whole number");
}

function signatureIn(answer: Members): string {
  try {
    const binary = atob(textIn(answer, "tee_signature"));
    return toHex(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    throw malformed("answer.tee_signature", "must be base64");
  }
}

function outputIn(answer: Members, kind: "chat" | "completion"): string {
  const choices = answer.get("choices");
  const [choice, ...more] = Array.isArray(choices) ? choices : [];
  if (!isObject<NumberText>(choice) || more.length > 0) {
    throw malformed("answer.choices", "must have one choice, which is what the profile signs");
  }
  if (kind === "completion") return plainText(choice.get("text"));
  const message = choice.get("message");
  if (!isObject<NumberText>(message)) throw malformed("answer.choices[0].message", "is missing");
  return legacyOutputText(message, choice.get("finish_reason") ?? null);
}

const plainText = (value: Json<NumberText> | undefined): string =>
  typeof value === "string" ? value : "";
