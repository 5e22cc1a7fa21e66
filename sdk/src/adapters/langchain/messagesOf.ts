import {
  AIMessage,
  type BaseMessage,
  convertToOpenAIImageBlock,
  isBase64ContentBlock,
  ChatMessage as RoleMessage,
  ToolMessage,
} from "@langchain/core/messages";
import type { ChatMessage } from "../../client/chat/chatOptions.ts";
import { optionError } from "../../client/optionError.ts";

const ROLES: Readonly<Record<string, string>> = {
  ...{ human: "user", system: "system", developer: "developer", ai: "assistant", tool: "tool" },
};

/** LangChain's messages as OpenAI's. @throws BaseError `option.wrong` for what these have no place for */
export const messagesOf = (messages: readonly BaseMessage[]): ChatMessage[] =>
  messages.map(messageOf);

function messageOf(message: BaseMessage): ChatMessage {
  const content = contentOf(message);
  if (RoleMessage.isInstance(message)) return { role: message.role, content };
  const role = ROLES[message.type];
  if (role === undefined) {
    throw optionError("messages", `a message of the kind ${message.type} cannot be sent`);
  }
  if (ToolMessage.isInstance(message)) return { role, tool_call_id: message.tool_call_id, content };
  const { tool_calls: calls = [] } = AIMessage.isInstance(message) ? message : {};
  if (calls.length === 0) return { role, content };
  return {
    ...{ role, content: content === "" ? null : content },
    tool_calls: calls.map(({ args, id, name }) => ({
      ...{ id, type: "function", function: { name, arguments: JSON.stringify(args) } },
    })),
  };
}

function contentOf({ content, type }: BaseMessage): string | object[] {
  if (typeof content === "string") return content;
  // What a model said before, as a text: its other parts are among the calls, or are not said again.
  if (type === "ai") {
    return content.map((part) => (part.type === "text" ? String(part.text) : "")).join("");
  }
  return content.map((part) => {
    if (part.type === "text") return { type: "text", text: part.text };
    if (part.type === "image_url") return { type: "image_url", image_url: part.image_url };
    if (isBase64ContentBlock(part) && part.type === "image") return convertToOpenAIImageBlock(part);
    throw optionError("messages", `a part of the kind ${part.type} cannot be sent`);
  });
}
