import { randomUUID } from "node:crypto";
import { isObject, type Json, type JsonObject } from "@haca/protocol/json/json";
import { UpstreamError } from "../gatewayError.ts";
import type { Sampling, Turn } from "./localRuntime.ts";

/** Answers are this long at most where the request does not say. */
const DEFAULT_TOKENS = 256;
const MAXIMUM_TOKENS = 1_024;
const MAXIMUM_STOPS = 4;
/** What would change the answer, and is not understood here, but for values that change nothing. */
const NOT_HERE: Readonly<Record<string, Json>> = {
  ...{ tools: null, functions: null, response_format: null, logprobs: false, n: 1, best_of: 1 },
  ...{ echo: false, suffix: null, logit_bias: null },
};

/** A request as the local model takes it. */
export type LocalRequest = {
  id: string;
  /** unix seconds */
  created: number;
  isChat: boolean;
  /** a conversation, or a text to go on with */
  prompt: { before: Turn[]; last: string } | string;
  sampling: Omit<Sampling, "signal" | "onTextChunk">;
};

const refused = (field: string, reason: string): UpstreamError =>
  new UpstreamError({
    ...{ status: 400, code: "upstream.refused", field },
    message: `the local model refuses the request: ${field}: ${reason}`,
  });

/** @throws UpstreamError naming the field that it does not understand */
export function readLocalRequest(body: JsonObject, isChat: boolean): LocalRequest {
  for (const [field, harmless] of Object.entries(NOT_HERE)) {
    const value = body.get(field) ?? null;
    if (value !== null && value !== harmless) throw refused(field, "is not supported");
  }
  const limit =
    integer(body, isChat ? "max_completion_tokens" : "max_tokens", MAXIMUM_TOKENS) ??
    integer(body, "max_tokens", MAXIMUM_TOKENS);
  return {
    ...{ id: `local-${randomUUID()}`, created: Math.floor(Date.now() / 1000), isChat },
    prompt: isChat ? conversation(body.get("messages")) : textOf(body.get("prompt"), "prompt"),
    sampling: {
      maxTokens: limit ?? DEFAULT_TOKENS,
      temperature: number(body, "temperature", 2) ?? 1,
      topP: number(body, "top_p", 1),
      seed: integer(body, "seed", Number.MAX_SAFE_INTEGER, 0),
      customStopTriggers: stops(body.get("stop") ?? null),
    },
  };
}

function conversation(messages: Json | undefined): { before: Turn[]; last: string } {
  if (!Array.isArray(messages)) throw refused("messages", "must be a list");
  const turns = messages.map((message, index): Turn => {
    const field = `messages.${index}`;
    if (!isObject(message)) throw refused(field, "must be an object");
    const text = textOf(message.get("content"), `${field}.content`);
    const role = message.get("role");
    if (role === "user") return { type: "user", text };
    if (role === "assistant") return { type: "model", response: [text] };
    if (role === "system" || role === "developer") return { type: "system", text };
    throw refused(`${field}.role`, "must be system, developer, user or assistant");
  });
  const last = turns.pop();
  if (last?.type !== "user") throw refused("messages", "must end with one of the user");
  return { before: turns, last: last.text };
}

/** A text, or the texts of a list of parts. */
function textOf(value: Json | undefined, field: string): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw refused(field, "must be a text");
  return value
    .map((part) => {
      const text = isObject(part) && part.get("type") === "text" ? part.get("text") : undefined;
      if (typeof text !== "string") throw refused(field, "must be a text, or parts of text");
      return text;
    })
    .join("");
}

function number(body: JsonObject, field: string, maximum: number): number | undefined {
  const value = body.get(field) ?? null;
  if (value === null) return undefined;
  if (typeof value === "number" && value >= 0 && value <= maximum) return value;
  throw refused(field, `must be between 0 and ${maximum}`);
}

function integer(
  body: JsonObject,
  field: string,
  maximum: number,
  minimum = 1,
): number | undefined {
  const value = body.get(field) ?? null;
  if (value === null) return undefined;
  if (Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum) {
    return Number(value);
  }
  throw refused(field, `must be an integer between ${minimum} and ${maximum}`);
}

function stops(value: Json): string[] | undefined {
  if (value === null) return undefined;
  const list = Array.isArray(value) ? value : [value];
  const isGood = list.every((stop): stop is string => typeof stop === "string" && stop !== "");
  if (isGood && list.length <= MAXIMUM_STOPS) return list;
  throw refused("stop", `must be a text, or ${MAXIMUM_STOPS} of them at most`);
}
