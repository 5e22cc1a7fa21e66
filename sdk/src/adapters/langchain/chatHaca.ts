import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BaseChatModelParams,
  type BindToolsInput,
} from "@langchain/core/language_models/chat_models";
import type { AIMessageChunk, BaseMessage } from "@langchain/core/messages";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import type { ChatOptions } from "../../client/chat/chatOptions.ts";
import type { Haca } from "../../client/createHaca.ts";
import { endOf, messageOf, textsOf } from "./answerMessages.ts";
import { messagesOf } from "./messagesOf.ts";

export type ChatHacaFields = Omit<BaseChatModelParams, "maxRetries"> & {
  haca: Pick<Haca, "chat" | "streamChat">;
  /** name of a pinned model */
  model: string;
  /** whatever else belongs to each request: `temperature`, `max_tokens`, … */
  parameters?: Readonly<Record<string, unknown>>;
};

/** What a call may have: of the client's options those that LangChain has not. */
export type ChatHacaCallOptions = BaseChatModelCallOptions &
  Pick<
    ChatOptions,
    "channel" | "idempotencyKey" | "nodes" | "parameters" | "policy" | "release" | "salt"
  > & { tools?: BindToolsInput[] };

/** A chat model for LangChain whose answers are verified, or throw. It asks once: nothing is retried. */
export class ChatHaca extends BaseChatModel<ChatHacaCallOptions> {
  readonly model: string;
  readonly #haca: ChatHacaFields["haca"];
  readonly #parameters: Readonly<Record<string, unknown>>;

  constructor({ haca, model, parameters = {}, ...fields }: ChatHacaFields) {
    super({ ...fields, maxRetries: 0 });
    this.model = model;
    this.#haca = haca;
    this.#parameters = parameters;
  }

  static override lc_name(): string {
    return "ChatHaca";
  }

  override _llmType(): string {
    return "haca";
  }

  /** By what a cache of LangChain tells models apart. */
  override _identifyingParams(): Record<string, unknown> {
    return { model: this.model, ...this.#parameters };
  }

  override bindTools(
    tools: BindToolsInput[],
    options: Partial<ChatHacaCallOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, ChatHacaCallOptions> {
    return this.withConfig({ ...options, tools });
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
  ): Promise<ChatResult> {
    const message = messageOf(await this.#haca.chat(this.#asked(messages, options)));
    return { generations: [{ message, text: message.text }] };
  }

  /**
   * Chunks once the whole answer is verified; without that it throws before the first. With `release: "channel"` texts come before,
   * and without that it throws after them.
   */
  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    manager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    for await (const chunk of this.#chunks(messages, options)) {
      yield chunk;
      const place = { prompt: 0, completion: 0 };
      await manager?.handleLLMNewToken(chunk.text, place, undefined, undefined, undefined, {
        chunk,
      });
    }
  }

  async *#chunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
  ): AsyncGenerator<ChatGenerationChunk> {
    const frames = this.#haca.streamChat(this.#asked(messages, options));
    let id = "";
    try {
      let next = await frames.next();
      for (; next.done !== true; next = await frames.next()) {
        ({ id } = next.value);
        yield* textsOf(next.value);
      }
      yield* endOf(next.value, id);
    } finally {
      // A consumer that stops lets go of the node.
      await frames.return(undefined as never);
    }
  }

  #asked(messages: BaseMessage[], options: this["ParsedCallOptions"]): ChatOptions {
    const { channel, idempotencyKey, nodes, policy, release, salt, signal } = options;
    const { stop, tool_choice, tools } = options;
    return {
      ...{ model: this.model, messages: messagesOf(messages) },
      parameters: {
        ...this.#parameters,
        ...options.parameters,
        ...(stop && { stop }),
        ...(tools && {
          // A tool of OpenAI's form goes on as it is.
          tools: tools.map((tool) => convertToOpenAITool(tool)),
          ...(tool_choice !== undefined && { tool_choice: choiceOf(tool_choice) }),
        }),
      },
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(channel && { channel }),
      ...(nodes && { nodes }),
      ...(policy && { policy }),
      ...(release && { release }),
      ...(salt !== undefined && { salt }),
      ...(signal && { signal }),
    };
  }
}

const CHOICES: Readonly<Record<string, string>> = {
  ...{ auto: "auto", none: "none", any: "required", required: "required" },
};

/** LangChain's word for which tool has to be used, as OpenAI's API has it. */
const choiceOf = (choice: NonNullable<BaseChatModelCallOptions["tool_choice"]>): unknown =>
  typeof choice === "string"
    ? (CHOICES[choice] ?? { type: "function", function: { name: choice } })
    : choice;
