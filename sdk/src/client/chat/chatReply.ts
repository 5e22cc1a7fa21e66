import type { Line } from "../../line.ts";
import type { Receipt } from "../../receipt/receipt.ts";
import { nodeError } from "../nodeError.ts";
import type { Paid } from "../payer.ts";
import type { WitnessTaken } from "../takeWitness.ts";

/** An answer as OpenAI's API has it. */
export type ChatAnswer = {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  system_fingerprint: string | null;
  choices: readonly ChatChoice[];
  usage: unknown;
};

export type ChatChoice = {
  index: number;
  message: { role: string; content: string | null; [member: string]: unknown };
  finish_reason: string;
  [member: string]: unknown;
};

/** A frame of such an answer as a stream. */
export type ChatChunk = Omit<ChatAnswer, "object" | "choices" | "usage"> & {
  object: "chat.completion.chunk";
  choices: readonly Record<string, unknown>[];
  usage?: unknown;
};

/** An answer, and what is known of it. */
export type ChatReply = {
  /** `off`: the caller wanted it so, and nobody looked */
  verification: "verified" | "off";
  /** of a verified one nothing but what was signed */
  answer: ChatAnswer;
  /** of the first choice; empty where it has none */
  text: string;
  /** null of an answer that nobody verified */
  receipt: Receipt | null;
  lines: readonly Line[];
  /** host that answered */
  node: string;
  /** what was paid at most; null of an answer that nobody paid for */
  payment: Paid | null;
  /** null of an answer for which none was wanted */
  witness: WitnessTaken | null;
};

/**
 * An answer of what was signed, or what came.
 * @throws BaseError `node.malformed`, where it has not the form of one
 */
export function answerOf(
  fields: Readonly<Record<string, unknown>>,
  own: { id: string; created: number; host: string },
): ChatAnswer {
  const { choices, model, system_fingerprint: fingerprint, usage } = fields;
  const hasChoices = Array.isArray(choices) && choices.length > 0 && choices.every(isChoice);
  if (!hasChoices || typeof model !== "string") {
    throw nodeError("malformed", `${own.host} answers something that is no answer to a chat`);
  }
  return {
    ...{ id: own.id, object: "chat.completion", created: own.created, model },
    system_fingerprint: typeof fingerprint === "string" ? fingerprint : null,
    choices: choices.map((choice) => ({ ...choice, message: choice.message ?? EMPTY })),
    usage: usage ?? null,
  };
}

/** Of a choice that ends before it begins a stream has no message. */
const EMPTY = { role: "assistant", content: "" };

function isChoice(value: unknown): value is ChatChoice {
  const field = (object: unknown, name: string): unknown =>
    typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
  const message = field(value, "message");
  return (
    Number.isSafeInteger(field(value, "index")) &&
    typeof field(value, "finish_reason") === "string" &&
    (message === undefined || (typeof message === "object" && message !== null))
  );
}

/** The answer as the frames of a stream: each choice's message, then the reasons to finish and what was used. */
export function* chunksOf(answer: ChatAnswer): Generator<ChatChunk> {
  const { choices, usage, ...rest } = answer;
  const common = { ...rest, object: "chat.completion.chunk" } as const;
  for (const { finish_reason: _reason, message, ...members } of choices) {
    yield { ...common, choices: [{ ...members, delta: deltaOf(message), finish_reason: null }] };
  }
  const ends = choices.map(({ index, finish_reason }) => ({ index, delta: {}, finish_reason }));
  yield { ...common, choices: ends, ...(usage === null ? {} : { usage }) };
}

/** In a stream tool calls have their places. */
const deltaOf = (message: ChatChoice["message"]): Record<string, unknown> =>
  Array.isArray(message.tool_calls)
    ? { ...message, tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) }
    : message;
