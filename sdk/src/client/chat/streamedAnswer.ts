import { finishMessage, mergeDelta } from "@haca/protocol/mergeDeltas";
import { parsed, refusalOf } from "../askNode.ts";
import { nodeError } from "../nodeError.ts";
import { readEvents } from "./readEvents.ts";

type JsonObject = Parameters<typeof mergeDelta>[0];
type Json = JsonObject extends Map<string, infer Value> ? Value : never;
type Plain = Readonly<Record<string, unknown>>;

/** Members of frames that the answer has; the first word on each counts. */
const COMMON = ["id", "object", "created", "model", "system_fingerprint"] as const;
const DONE = "[DONE]";

/**
 * Puts a stream together, to its end: the answer that its frames make, with the last one's `usage` and `haca`. Nothing of it is
 * shown before: who takes this takes the whole answer or none.
 * @throws BaseError `node.refused` for a frame that says so; `node.brokenOff` without an end; `node.secondFinal`,
 *   `node.afterFinal`, `node.malformed`
 */
export async function readStream(body: AsyncIterable<Uint8Array>, host: string): Promise<Plain> {
  const frames = framesOf(body, host);
  let next = await frames.next();
  while (next.done !== true) next = await frames.next();
  return next.value;
}

/** A frame that has the form of one. */
export type Frame = Plain & { choices: readonly Plain[] };

/** The same, frame by frame: what they say is anybody's word until somebody has looked at the answer. @throws BaseError as `readStream` */
export async function* framesOf(
  body: AsyncIterable<Uint8Array>,
  host: string,
): AsyncGenerator<Frame, Plain> {
  const answer = new StreamedAnswer(host);
  let isDone = false;
  for await (const event of readEvents(body)) {
    if (isDone) throw nodeError("afterFinal", `${host} streams on after the end`);
    isDone = event === DONE;
    if (!isDone) yield answer.take(parsed(event, host), event);
  }
  if (!isDone) throw nodeError("brokenOff", `${host} ends its stream before the end`);
  return answer.whole();
}

class StreamedAnswer {
  readonly #host: string;
  readonly #common: Record<string, unknown> = {};
  readonly #choices = new Map<number, JsonObject>();
  #last: Plain | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  take(frame: unknown, text: string): Frame {
    if (!isPlain(frame)) throw this.#malformed();
    if (frame.error !== undefined) {
      throw refusalOf({ status: 200, header: () => undefined, text }, this.#host);
    }
    const { choices, haca } = frame;
    if (this.#last?.haca !== undefined) {
      const isSecond = haca !== undefined;
      throw nodeError(
        isSecond ? "secondFinal" : "afterFinal",
        `${this.#host} streams ${isSecond ? "a second signed frame" : "on after the signed frame"}`,
      );
    }
    if (!Array.isArray(choices)) throw this.#malformed();
    for (const name of COMMON) this.#common[name] ??= frame[name];
    for (const choice of choices) this.#choice(choice);
    if (haca !== undefined || frame.usage != null) this.#last = frame;
    // Each of its choices was looked at.
    return { ...frame, choices };
  }

  whole(): Plain {
    const choices = [...this.#choices].sort(([a], [b]) => a - b).map(([, choice]) => choice);
    for (const choice of choices) {
      const message = choice.get("message");
      if (message instanceof Map) finishMessage(message);
    }
    const { usage = null, haca } = this.#last ?? {};
    return {
      ...this.#common,
      ...{ choices: choices.map(fromMaps), usage },
      ...(haca === undefined ? {} : { haca }),
    };
  }

  #choice(choice: unknown): void {
    if (!isPlain(choice) || !Number.isSafeInteger(choice.index)) throw this.#malformed();
    const piece = toMaps(choice) as JsonObject;
    const delta = piece.get("delta");
    piece.delete("delta");
    // The last frame has an empty one, which adds nothing.
    if (delta instanceof Map && delta.size > 0) piece.set("message", delta);
    const index = Number(choice.index);
    const before = this.#choices.get(index) ?? new Map();
    mergeDelta(before, piece);
    this.#choices.set(index, before);
  }

  #malformed() {
    return nodeError("malformed", `${this.#host} streams something that is no frame of an answer`);
  }
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Objects as maps: a stranger's key such as `__proto__` is a key like any other. */
function toMaps(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toMaps);
  if (!isPlain(value)) return value as Json;
  return new Map(Object.entries(value).map(([name, member]) => [name, toMaps(member)]));
}

function fromMaps(value: Json): unknown {
  if (Array.isArray(value)) return value.map(fromMaps);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([name, member]) => [name, fromMaps(member)]));
}
