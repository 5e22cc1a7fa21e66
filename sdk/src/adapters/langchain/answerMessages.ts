import { AIMessageChunk, type AIMessageFields } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import type { ChatChunk, ChatReply } from "../../client/chat/chatReply.ts";
import { countIn, noteOf, textIn, type WantedCall, wantedCalls } from "../answerNote.ts";

/**
 * An answer as LangChain has it: its first choice, with the receipt in `response_metadata.haca`. In one piece, and a chunk: from
 * models with `withStructuredOutput` LangChain takes nothing else.
 */
export function messageOf(reply: ChatReply): AIMessageChunk {
  const calls = wantedCalls(reply).map(readCall);
  const message = new AIMessageChunk({
    content: reply.text,
    tool_calls: calls.flatMap(({ call }) => call ?? []),
    ...knownOf(reply),
  });
  // Its constructor drops them.
  message.invalid_tool_calls = calls.flatMap(({ invalid }) => invalid ?? []);
  return message;
}

/** The text of a stream's frame, of its first choice; nothing of one that has none. */
export function* textsOf({ choices, id }: ChatChunk): Generator<ChatGenerationChunk> {
  const text = textIn(choices.find(({ index }) => index === 0)?.delta, "content");
  if (text === "") return;
  yield new ChatGenerationChunk({ text, message: new AIMessageChunk({ id, content: text }) });
}

/** What is given on of a stream once it is verified: the calls that the model wants, and what is known of the answer. */
export function* endOf(reply: ChatReply, id: string): Generator<ChatGenerationChunk> {
  const tool_call_chunks = wantedCalls(reply).map(
    ({ id: callId, input, name }, index) =>
      ({ type: "tool_call_chunk", id: callId, name, args: input, index }) as const,
  );
  for (const rest of [
    { id, tool_call_chunks },
    { ...knownOf(reply), id },
  ]) {
    const message = new AIMessageChunk({ content: "", ...rest });
    yield new ChatGenerationChunk({ text: "", message });
  }
}

function knownOf(reply: ChatReply): AIMessageFields {
  const { choices, id, model, usage } = reply.answer;
  const [input_tokens = 0, output_tokens = 0] = [
    countIn(usage, "prompt_tokens"),
    countIn(usage, "completion_tokens"),
  ];
  const total_tokens = countIn(usage, "total_tokens") ?? input_tokens + output_tokens;
  return {
    id,
    response_metadata: {
      ...{ model_name: model, finish_reason: choices[0]?.finish_reason },
      haca: noteOf(reply),
    },
    // LangChain's types say `never` of it with `exactOptionalPropertyTypes`.
    ...(usage !== null && {
      usage_metadata: { input_tokens, output_tokens, total_tokens } as never,
    }),
  };
}

type ReadCall = {
  call?: NonNullable<AIMessageFields["tool_calls"]>[number];
  invalid?: NonNullable<AIMessageFields["invalid_tool_calls"]>[number];
};

/** A model may write what is no JSON; that is for whoever uses its tools. */
function readCall({ id, input, name }: WantedCall): ReadCall {
  try {
    const args: unknown = JSON.parse(input);
    if (typeof args === "object" && args !== null && !Array.isArray(args)) {
      return { call: { type: "tool_call", id, name, args: { ...args } } };
    }
  } catch {
    // Said below.
  }
  const error = "its arguments are no object in JSON";
  return { invalid: { type: "invalid_tool_call", id, name, args: input, error } };
}
