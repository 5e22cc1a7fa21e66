import { fromJsonSchema } from "@modelcontextprotocol/server";
import type { ChatMessage } from "../../client/chat/chatOptions.ts";
import type { InferInput } from "../../client/infer/tensors.ts";
import { CHECKS } from "../../line.ts";
import { GOALS, type Goal } from "../../wait.ts";

/** What the tools take and give, as JSON Schema. */

const object = <Fields extends object>(
  properties: Fields,
  required: readonly (keyof Fields & string)[],
) => ({
  type: "object" as const,
  properties,
  required: [...required],
  additionalProperties: false,
});
const text = (description: string) => ({ type: "string" as const, description });

/** Seconds that `wait` waits where nobody says how long, and at most. */
export const WAIT_SECONDS = { usual: 45, most: 3600 };

const LINES = {
  type: "array",
  description: "what was checked, by what, as of when",
  items: object(
    {
      check: { type: "string", enum: [...CHECKS] },
      status: { type: "string", enum: ["asserted", "refuted", "unknown"] },
      source: text("by what"),
      asOf: { type: "object" },
      detail: text("a sentence"),
    },
    ["check", "status", "source", "asOf", "detail"],
  ),
};
const RECEIPT = text("a receipt's id, of an answer of this server, or a receipt's text");
const MODEL = text("name of a pinned model");
const ANSWERED = {
  verification: { type: "string", enum: ["verified"] },
  node: text("host that answered"),
  receipt: text("the receipt's id"),
  lines: LINES,
};
const ANSWERED_FIELDS = ["verification", "node", "receipt", "lines"] as const;

export type ChatInput = {
  model: string;
  messages: ChatMessage[];
  parameters?: Record<string, unknown>;
};
export const CHAT_INPUT = fromJsonSchema<ChatInput>(
  object(
    {
      model: MODEL,
      messages: {
        type: "array",
        minItems: 1,
        items: object(
          { role: { type: "string", enum: ["system", "user", "assistant"] }, content: text("") },
          ["role", "content"],
        ),
      },
      parameters: { type: "object", description: "temperature, max_tokens, …" },
    },
    ["model", "messages"],
  ),
);
export const CHAT_OUTPUT = fromJsonSchema(
  object({ text: text("the answer"), ...ANSWERED }, ["text", ...ANSWERED_FIELDS]),
);

export type InferArguments = { model: string; input: InferInput };
export const INFER_INPUT = fromJsonSchema<InferArguments>(
  object(
    {
      model: text("a version's id, owner/slug@major.minor, or the name of a pinned model"),
      input: {
        type: "array",
        description: "numbers in row-major order, or in lists of the input's shape",
      },
    },
    ["model", "input"],
  ),
);
export const INFER_OUTPUT = fromJsonSchema(
  object({ outputs: { type: "array", description: "tensors in their order" }, ...ANSWERED }, [
    ...["outputs" as const, ...ANSWERED_FIELDS],
  ]),
);

export type VerifyArguments = { receipt: string };
export const VERIFY_INPUT = fromJsonSchema<VerifyArguments>(
  object({ receipt: RECEIPT }, ["receipt"]),
);
export const VERIFY_OUTPUT = fromJsonSchema(
  object(
    {
      isVerified: { type: "boolean" },
      missing: { type: "array", items: { type: "string" } },
      lines: LINES,
    },
    ["isVerified", "missing", "lines"],
  ),
);

export type WaitInput = { receipt: string; until?: Goal; seconds?: number };
export const WAIT_INPUT = fromJsonSchema<WaitInput>(
  object(
    {
      receipt: RECEIPT,
      until: { type: "string", enum: [...GOALS], description: "final if left out" },
      seconds: {
        ...{ type: "integer", minimum: 1, maximum: WAIT_SECONDS.most },
        description: `how long; ${WAIT_SECONDS.usual} if left out. Nothing is lost by calling again`,
      },
    },
    ["receipt"],
  ),
);
export const WAIT_OUTPUT = fromJsonSchema(
  object(
    {
      isReached: { type: "boolean" },
      waitingFor: { type: ["string", "null"], description: "where it is not reached" },
      lines: LINES,
    },
    ["isReached", "waitingFor", "lines"],
  ),
);
