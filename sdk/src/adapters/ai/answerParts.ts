import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
  SharedV4Warning,
} from "@ai-sdk/provider";
import type { ChatReply } from "../../client/chat/chatReply.ts";
import { countIn, noteOf, textIn, wantedCalls } from "../answerNote.ts";

/** An answer as the AI SDK has it: its first choice, with the receipt in `providerMetadata.haca`. */
export function resultOf(
  reply: ChatReply,
  warnings: SharedV4Warning[],
): LanguageModelV4GenerateResult {
  return {
    content: contentOf(reply),
    ...{ finishReason: reasonOf(reply), usage: usageOf(reply), warnings },
    ...{ providerMetadata: metadataOf(reply), response: responseOf(reply) },
  };
}

/** The same as the parts of a stream. */
export function* partsOf(
  reply: ChatReply,
  { raw, warnings }: { raw: readonly unknown[]; warnings: SharedV4Warning[] },
): Generator<LanguageModelV4StreamPart> {
  yield { type: "stream-start", warnings };
  for (const rawValue of raw) yield { type: "raw", rawValue };
  yield { type: "response-metadata", ...responseOf(reply) };
  for (const [index, content] of contentOf(reply).entries()) {
    const id = String(index);
    if (content.type === "tool-call") {
      const { input, toolCallId, toolName } = content;
      yield { type: "tool-input-start", id: toolCallId, toolName };
      yield { type: "tool-input-delta", id: toolCallId, delta: input };
      yield { type: "tool-input-end", id: toolCallId };
      yield content;
    } else {
      yield { type: `${content.type}-start`, id };
      yield { type: `${content.type}-delta`, id, delta: content.text };
      yield { type: `${content.type}-end`, id };
    }
  }
  const providerMetadata = metadataOf(reply);
  yield { type: "finish", finishReason: reasonOf(reply), usage: usageOf(reply), providerMetadata };
}

type Content = Extract<LanguageModelV4Content, { type: "text" | "reasoning" | "tool-call" }>;

function contentOf(reply: ChatReply): Content[] {
  const message = reply.answer.choices[0]?.message;
  const reasoning = textIn(message, "reasoning_content") || textIn(message, "reasoning");
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

const responseOf = ({ answer }: ChatReply) => ({
  ...{ id: answer.id, modelId: answer.model, timestamp: new Date(answer.created * 1000) },
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
