import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
} from "@ai-sdk/provider";
import type { ChatMessage } from "../../client/chat/chatOptions.ts";
import { optionError } from "../../client/optionError.ts";

/** A prompt of the AI SDK as OpenAI's messages. @throws BaseError `option.wrong` for parts that these have no place for */
export const messagesOf = (prompt: LanguageModelV4Prompt): ChatMessage[] =>
  prompt.flatMap(messageOf);

function messageOf(message: LanguageModelV4Message): ChatMessage[] {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }];
    case "user":
      return [{ role: "user", content: contentOf(message.content) }];
    case "assistant":
      return [ofAssistant(message.content)];
    case "tool":
      return message.content.flatMap((part) =>
        part.type === "tool-result"
          ? [{ role: "tool", tool_call_id: part.toolCallId, content: outputOf(part.output) }]
          : [],
      );
  }
}

type UserContent = Extract<LanguageModelV4Message, { role: "user" }>["content"];
type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];

function contentOf(parts: UserContent): string | object[] {
  const [first, ...others] = parts;
  if (first?.type === "text" && others.length === 0) return first.text;
  return parts.map((part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image_url", image_url: { url: imageOf(part) } },
  );
}

function imageOf({ data, mediaType }: LanguageModelV4FilePart): string {
  if (!/^image\/[\w.+-]+$/.test(mediaType) || data.type !== "data") {
    throw optionError(
      "prompt",
      `a file of ${mediaType} cannot be asked about: images can, as bytes`,
    );
  }
  return `data:${mediaType};base64,${typeof data.data === "string" ? data.data : base64(data.data)}`;
}

/** Node and browsers have no other that is in both. */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** What the model said before. Its reasoning is not said again, as the models' makers have it. */
function ofAssistant(parts: AssistantContent): ChatMessage {
  const calls = parts.flatMap((part) => {
    if (part.type !== "tool-call") return [];
    const call = { name: part.toolName, arguments: JSON.stringify(part.input) };
    return [{ id: part.toolCallId, type: "function", function: call }];
  });
  const other = parts.find(({ type }) => !["text", "reasoning", "tool-call"].includes(type));
  if (other !== undefined) {
    throw optionError("prompt", `a part ${other.type} of an earlier answer cannot be given back`);
  }
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  if (calls.length === 0) return { role: "assistant", content: text };
  return { role: "assistant", content: text === "" ? null : text, tool_calls: calls };
}

function outputOf(output: LanguageModelV4ToolResultOutput): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "execution-denied":
      return output.reason ?? "the call was not allowed";
    case "content":
      return output.value
        .map((part) => {
          if (part.type === "text") return part.text;
          throw optionError("prompt", `a tool's result cannot have a part ${part.type}`);
        })
        .join("\n");
  }
}
