import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { ChatChunk, ChatReply } from "../../client/chat/chatReply.ts";
import { countIn, noteOf, textIn, wantedCalls } from "../answerNote.ts";

/** An answer as the AI SDK has it: its first choice, with the receipt in `providerMetadata.haca`. */
export function resultOf(
  reply: ChatReply,
  warnings: SharedV4Warning[],
): LanguageModelV4GenerateResult {
  return {
    content: contentOf(reply),
    ...{ finishReason: reasonOf(reply), usage: usageOf(reply), warnings },
    ...{ providerMetadata: metadataOf(reply), response: responseOf(reply.answer) },
  };
}

/**
 * The same as the parts of a stream: texts with the frames that have them, and all the rest, calls of tools among it, once the
 * whole answer is verified.
 */
export async function* partsOf(
  frames: AsyncGenerator<ChatChunk, ChatReply>,
  { isRaw, warnings }: { isRaw: boolean; warnings: SharedV4Warning[] },
): AsyncGenerator<LanguageModelV4StreamPart> {
  let next = await frames.next();
  yield { type: "stream-start", warnings };
  const said = new Said();
  for (let isFirst = true; next.done !== true; next = await frames.next(), isFirst = false) {
    const { value: frame } = next;
    if (isRaw) yield { type: "raw", rawValue: frame };
    if (isFirst) yield { type: "response-metadata", ...responseOf(frame) };
    yield* said.take(frame);
  }
  const reply = next.value;
  for (const content of contentOf(reply)) {
    if (content.type === "tool-call") {
      const { input, toolCallId, toolName } = content;
      yield { type: "tool-input-start", id: toolCallId, toolName };
      yield { type: "tool-input-delta", id: toolCallId, delta: input };
      yield { type: "tool-input-end", id: toolCallId };
      yield content;
    } else {
      yield* said.end(content);
    }
  }
  const providerMetadata = metadataOf(reply);
  yield { type: "finish", finishReason: reasonOf(reply), usage: usageOf(reply), providerMetadata };
}

/** Texts of a stream's first choice that have begun. */
class Said {
  readonly #kinds = new Set<"reasoning" | "text">();
  /** of what models call their reasoning, the one name that this one uses */
  #reasoning: string | undefined;

  *take({ choices }: ChatChunk): Generator<LanguageModelV4StreamPart> {
    const delta = choices.find(({ index }) => index === 0)?.delta;
    this.#reasoning ??= REASONING.find((name) => textIn(delta, name) !== "");
    if (this.#reasoning !== undefined) {
      yield* this.#say("reasoning", textIn(delta, this.#reasoning));
    }
    yield* this.#say("text", textIn(delta, "content"));
  }

  *end({ text, type }: Exclude<Content, { type: "tool-call" }>) {
    if (!this.#kinds.has(type)) yield* this.#say(type, text);
    yield { type: `${type}-end`, id: type } as const;
  }

  *#say(kind: "reasoning" | "text", delta: string): Generator<LanguageModelV4StreamPart> {
    if (delta === "") return;
    if (!this.#kinds.has(kind)) yield { type: `${kind}-start`, id: kind };
    this.#kinds.add(kind);
    yield { type: `${kind}-delta`, id: kind, delta };
  }
}

const REASONING = ["reasoning_content", "reasoning"] as const;

type Content = Extract<LanguageModelV4Content, { type: "text" | "reasoning" | "tool-call" }>;

function contentOf(reply: ChatReply): Content[] {
  const message = reply.answer.choices[0]?.message;
  const reasoning =
    REASONING.map((name) => textIn(message, name)).find((text) => text !== "") ?? "";
  return [
    ...(reasoning === "" ? [] : [{ type: "reasoning", text: reasoning } as const]),
    ...(reply.text === "" ? [] : [{ type: "text", text: reply.text } as const]),
    ...wantedCalls(reply).map(
      ({ id, input, name }) =>
        ({ type: "tool-call", toolCallId: id, toolName: name, input }) as const,
    ),
  ];
}

const metadataOf = (reply: ChatReply): SharedV4ProviderMetadata => ({
  // A receipt is made of texts, lists and objects.
  haca: noteOf(reply) as unknown as SharedV4ProviderMetadata[string],
});

const responseOf = ({ created, id, model }: Pick<ChatChunk, "created" | "id" | "model">) => ({
  ...{ id, modelId: model, timestamp: new Date(created * 1000) },
});

const REASONS: Readonly<Record<string, LanguageModelV4FinishReason["unified"]>> = {
  ...{ stop: "stop", length: "length", content_filter: "content-filter" },
  ...{ tool_calls: "tool-calls", function_call: "tool-calls" },
};

function reasonOf({ answer }: ChatReply): LanguageModelV4FinishReason {
  const raw = answer.choices[0]?.finish_reason ?? "";
  return { unified: REASONS[raw] ?? "other", raw };
}

function usageOf({ answer: { usage } }: ChatReply): LanguageModelV4Usage {
  const [input, cached] = [
    countIn(usage, "prompt_tokens"),
    countIn(usage, "prompt_tokens_details", "cached_tokens"),
  ];
  const [output, reasoning] = [
    countIn(usage, "completion_tokens"),
    countIn(usage, "completion_tokens_details", "reasoning_tokens"),
  ];
  return {
    inputTokens: {
      ...{ total: input, cacheRead: cached, cacheWrite: undefined },
      noCache: less(input, cached),
    },
    outputTokens: { total: output, reasoning, text: less(output, reasoning) },
  };
}

const less = (whole: number | undefined, part = 0): number | undefined =>
  whole === undefined ? undefined : whole - part;
