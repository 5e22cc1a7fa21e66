import { chat, streamChat } from "./chat/chat.ts";
import type { ChatOptions } from "./chat/chatOptions.ts";
import type { ChatChunk, ChatReply } from "./chat/chatReply.ts";
import { type HacaOptions, readClient } from "./client.ts";

/** A client: asks with what is known beforehand, and answers with what is verified. */
export type Haca = {
  /** asks a language model */
  chat: (options: ChatOptions) => Promise<ChatReply>;
  /** the same as a stream of frames, none of which comes before all are verified */
  streamChat: (options: ChatOptions) => AsyncGenerator<ChatChunk, ChatReply>;
};

/**
 * A client of nodes. What is not verified throws.
 * @throws BaseError `option.wrong`, `node.badAddress`
 */
export function createHaca(options: HacaOptions): Haca {
  const client = readClient(options);
  return {
    chat: (asked) => chat(client, asked),
    streamChat: (asked) => streamChat(client, asked),
  };
}
