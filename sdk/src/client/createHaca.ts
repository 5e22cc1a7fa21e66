import type { Line } from "../line.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { type Goal, type WaitOptions, wait } from "../wait.ts";
import { chat, streamChat } from "./chat/chat.ts";
import type { ChatOptions } from "./chat/chatOptions.ts";
import type { ChatChunk, ChatReply } from "./chat/chatReply.ts";
import { type HacaOptions, readClient } from "./client.ts";
import { type Inference, infer } from "./infer/infer.ts";
import type { InferOptions } from "./infer/inferOptions.ts";
import { findModel } from "./models/findModels.ts";
import { type ListedNodes, listNodes } from "./nodes/listNodes.ts";

/** A client: asks with what is known beforehand, and answers with what is verified. */
export type Haca = {
  /** asks a language model */
  chat: (options: ChatOptions) => Promise<ChatReply>;
  /** the same as a stream of frames, none of which comes before all are verified */
  streamChat: (options: ChatOptions) => AsyncGenerator<ChatChunk, ChatReply>;
  /** asks a model whose answers are proved */
  infer: (options: InferOptions) => Promise<Inference>;
  /** the registry's active nodes, and whether this client would ask them */
  nodes: (options?: Parameters<typeof listNodes>[1]) => Promise<ListedNodes>;
  /** a model with its versions, from the registry: `owner/slug`, or a name that `infer` takes */
  model: (name: string) => ReturnType<typeof findModel>;
  /** waits until a receipt's result is settled, or final: `wait` with the client's pins and endpoints */
  wait: (
    receipt: Receipt | Uint8Array | string,
    until: Goal,
    options?: Omit<WaitOptions, "pins" | "rpcs">,
  ) => Promise<Line>;
};

/**
 * A client of nodes. What is not verified throws.
 * @throws BaseError `option.wrong`, `node.badAddress`
 */
export function createHaca(options: HacaOptions): Haca {
  const client = readClient(options);
  const { pins, rpcs } = client;
  return {
    chat: (asked) => chat(client, asked),
    streamChat: (asked) => streamChat(client, asked),
    infer: (asked) => infer(client, asked),
    nodes: (asked) => listNodes(client, asked),
    model: (name) => findModel(client, name),
    wait: (receipt, until, rest = {}) => wait(receipt, until, { ...rest, pins, rpcs }),
  };
}
