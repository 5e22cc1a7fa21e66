import { BaseError } from "@haca/protocol/baseError";
import { type ChatAnswer, type ChatChunk, type ChatReply, chunksOf } from "./chatReply.ts";
import { type Frame, framesOf } from "./streamedAnswer.ts";

/**
 * What of a message is given on as it comes. Calls of tools, and whatever else there may be, wait for the end: nobody is to act on
 * what is not confirmed.
 */
const TEXTS = ["content", "reasoning_content", "reasoning", "refusal"] as const;

/** What all frames of one stream have in common, known before the first. */
export type StreamNames = { id: string; created: number; model: string };

/**
 * The texts of a stream as they come, and at its end, once `confirm` has verified the whole answer, all the rest: tool calls,
 * reasons to finish, usage.
 * @throws BaseError as `framesOf` and `confirm`, with `details.released`, the number of frames that were given on;
 *   `answer.unexpected` with the field `frames`, where what was given on is not what was signed
 */
export async function* releasedFrames(parameters: {
  body: AsyncIterable<Uint8Array>;
  host: string;
  names: StreamNames;
  confirm: (answer: unknown) => Promise<ChatReply>;
}): AsyncGenerator<ChatChunk, ChatReply> {
  const { body, confirm, host, names } = parameters;
  const released = new Released(names);
  const frames = framesOf(body, host);
  try {
    let next = await frames.next();
    for (; next.done !== true; next = await frames.next()) {
      const chunk = released.take(next.value);
      if (chunk !== undefined) yield chunk;
    }
    const reply = await confirm(next.value);
    const rest = released.restOf(reply.answer, host);
    yield* chunksOf({ ...rest, id: names.id, created: names.created });
    return reply;
  } catch (error) {
    throw unconfirmed(error, released.count);
  } finally {
    // A consumer that goes lets go of the node.
    await frames.return({});
  }
}

function unconfirmed(error: unknown, count: number): unknown {
  if (!(error instanceof BaseError) || count === 0) return error;
  const { code, details, message } = error;
  return new BaseError({
    ...{ code, cause: error, details: { ...details, released: count } },
    message: `${message}; what was given on of the answer is not confirmed`,
  });
}

/** Of a choice: who speaks, which is given on with the first text, and the texts that were given on. */
type Said = { role: string | undefined; texts: Map<string, string> };

class Released {
  /** frames that were given on */
  count = 0;
  readonly #names: StreamNames;
  readonly #choices = new Map<number, Said>();

  constructor(names: StreamNames) {
    this.#names = names;
  }

  /** What of a frame is given on; nothing of one that is signed, and of one without text. */
  take({ choices, haca, model }: Frame): ChatChunk | undefined {
    if (haca !== undefined) return undefined;
    const shown = choices.flatMap(({ delta, index }) => {
      const texts = this.#take(Number(index), delta);
      return texts === undefined ? [] : [{ index, delta: texts, finish_reason: null }];
    });
    if (shown.length === 0) return undefined;
    this.count += 1;
    return {
      ...{ ...this.#names, object: "chat.completion.chunk", system_fingerprint: null },
      ...(typeof model === "string" && { model }),
      choices: shown,
    };
  }

  #take(index: number, delta: unknown): Record<string, string> | undefined {
    const field = (name: string): unknown =>
      typeof delta === "object" && delta !== null ? Reflect.get(delta, name) : undefined;
    const said: Said = this.#choices.get(index) ?? { role: undefined, texts: new Map() };
    this.#choices.set(index, said);
    const isFirst = said.texts.size === 0;
    const role = field("role");
    // Some send it in a frame of its own, before all text.
    if (isFirst && typeof role === "string") said.role = role;
    const shown: Record<string, string> = {};
    for (const name of TEXTS) {
      const text = field(name);
      if (typeof text !== "string" || text === "") continue;
      shown[name] = text;
      said.texts.set(name, (said.texts.get(name) ?? "") + text);
    }
    if (Object.keys(shown).length === 0) return undefined;
    return isFirst && said.role !== undefined ? { role: said.role, ...shown } : shown;
  }

  /** The answer without what was given on of it, all of which has to be in it. @throws BaseError `answer.unexpected` */
  restOf(answer: ChatAnswer, host: string): ChatAnswer {
    const indices = new Set(answer.choices.map(({ index }) => index));
    const shown = new Map([...this.#choices].filter(([, { texts }]) => texts.size > 0));
    if ([...shown.keys()].some((index) => !indices.has(index))) throw otherFrames(host);
    const choices = answer.choices.map((choice) => {
      const said = shown.get(choice.index);
      return said === undefined ? choice : { ...choice, message: restOf(choice.message, said) };
    });
    return { ...answer, choices } as ChatAnswer;

    function restOf(message: Record<string, unknown>, { role, texts }: Said): object {
      const rest = { ...message };
      if (role !== undefined && rest.role !== role) throw otherFrames(host);
      if (role !== undefined) delete rest.role;
      for (const [name, text] of texts) {
        const whole = rest[name];
        if (typeof whole !== "string" || !whole.startsWith(text)) throw otherFrames(host);
        if (whole === text) delete rest[name];
        else rest[name] = whole.slice(text.length);
      }
      return rest;
    }
  }
}

const otherFrames = (host: string): BaseError =>
  new BaseError({
    ...{ code: "answer.unexpected", details: { field: "frames" } },
    message: `${host} has streamed something else than it signed`,
  });
