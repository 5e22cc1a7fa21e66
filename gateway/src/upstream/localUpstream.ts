import { isObject, type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { UpstreamError } from "../gatewayError.ts";
import { LOCAL_MODEL } from "../localModel/localModel.ts";
import { type LocalRequest, readLocalRequest } from "../localModel/localRequest.ts";
import { LocalRuntime, type Made } from "../localModel/localRuntime.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** The model in this process, without an account anywhere. It makes one answer after another. */
export class LocalUpstream implements Upstream {
  readonly #folder: string;
  #runtime: Promise<LocalRuntime> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parameters: { folder: string }) {
    this.#folder = parameters.folder;
  }

  /** Loads the model. @throws StartError where it has not been fetched, or does not run here */
  async open(): Promise<void> {
    this.#runtime ??= LocalRuntime.open(this.#folder);
    await this.#runtime;
  }

  async complete(asked: UpstreamRequest): Promise<Json> {
    const request = this.#read(asked);
    const parts: string[] = [];
    const made = await this.#make(request, asked.signal, (text) => void parts.push(text));
    const content = parts.join("");
    const choice = request.isChat
      ? { message: objectOf({ role: "assistant", content }) }
      : { text: content };
    const finish_reason = made.finishReason;
    return answerOf(request, "", {
      choices: [objectOf({ index: 0, ...choice, finish_reason })],
      usage: usageOf(made),
    });
  }

  async stream(asked: UpstreamRequest): Promise<AsyncIterable<JsonObject>> {
    return this.#frames(this.#read(asked), asked.signal);
  }

  giveKey(): boolean {
    return false;
  }

  async models(): Promise<string[]> {
    await this.open();
    return [LOCAL_MODEL.name];
  }

  #read({ body, path }: UpstreamRequest): LocalRequest {
    const json = readStrictJson(body);
    return readLocalRequest(isObject(json) ? json : new Map(), path === "chat/completions");
  }

  async *#frames(request: LocalRequest, signal: AbortSignal): AsyncGenerator<JsonObject> {
    const texts: string[] = [];
    let wake: () => void = () => undefined;
    const { isChat } = request;
    const frame = (text: string, finish_reason: string | null, rest: object = {}): JsonObject => {
      const piece = isChat ? { delta: objectOf(text === "" ? {} : { content: text }) } : { text };
      return answerOf(request, ".chunk", {
        choices: [objectOf({ index: 0, ...piece, finish_reason })],
        ...rest,
      });
    };
    const ended: { made?: Made; failure?: { cause: unknown } } = {};
    const making = this.#make(request, signal, (text) => {
      texts.push(text);
      wake();
    }).then(
      (end) => {
        ended.made = end;
        wake();
      },
      (cause) => {
        ended.failure = { cause };
        wake();
      },
    );
    if (isChat) {
      const delta = objectOf({ role: "assistant", content: "" });
      const choice = objectOf({ index: 0, delta, finish_reason: null });
      yield answerOf(request, ".chunk", { choices: [choice] });
    }
    for (;;) {
      const awake = new Promise<void>((resolve) => {
        wake = resolve;
      });
      for (const text of texts.splice(0)) yield frame(text, null);
      if (ended.failure !== undefined) throw ended.failure.cause;
      if (ended.made !== undefined && texts.length === 0) break;
      if (texts.length === 0) await awake;
    }
    await making;
    const { made } = ended;
    yield frame("", made.finishReason, { usage: usageOf(made) });
  }

  /** Waits for its turn, and makes an answer. @throws UpstreamError, or the reason of the signal */
  async #make(
    { prompt, sampling }: LocalRequest,
    signal: AbortSignal,
    onTextChunk: (text: string) => void,
  ): Promise<Made> {
    await this.open();
    const runtime = (await this.#runtime) as LocalRuntime;
    const run = async (): Promise<Made> => {
      signal.throwIfAborted();
      const options = { ...sampling, signal, onTextChunk };
      try {
        return typeof prompt === "string"
          ? await runtime.complete(prompt, options)
          : await runtime.chat(prompt.before, prompt.last, options);
      } catch (cause) {
        signal.throwIfAborted();
        const message = "the local model could not answer";
        throw new UpstreamError({ status: 502, code: "upstream.failed", message, cause });
      }
    };
    const made = this.#turn.then(run);
    this.#turn = made.catch(() => undefined);
    return await made;
  }
}

function answerOf(request: LocalRequest, suffix: "" | ".chunk", rest: object): JsonObject {
  const kind = request.isChat ? `chat.completion${suffix}` : "text_completion";
  return objectOf({
    ...{ id: request.id, object: kind, created: request.created, model: LOCAL_MODEL.name },
    ...rest,
  });
}

const usageOf = ({ outputTokens, promptTokens }: Made): JsonObject =>
  objectOf({
    ...{ prompt_tokens: promptTokens, completion_tokens: outputTokens },
    total_tokens: promptTokens + outputTokens,
  });
