import { isObject, type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import { finishMessage, mergeDelta } from "@haca/protocol/mergeDeltas";
import { malformed, requireIndex } from "./requireAnswer.ts";
import { SIGNATURE_FIELD } from "./signatureFields.ts";

/** Members of frames that the last one has, too; the first word on each counts. */
const COMMON = ["id", "object", "created", "model", "system_fingerprint"] as const;

/**
 * A stream, frame by frame: what of each goes on to the client, what waits for the last frame (reasons to finish, usage),
 * and the answer that those frames make which the client was sent.
 */
export class StreamedAnswer {
  readonly #isChat: boolean;
  readonly #common = new Map<string, Json>();
  readonly #choices = new Map<number, JsonObject>();
  readonly #reasons = new Map<number, Json>();
  #usage: Json = null;

  constructor(parameters: { isChat: boolean }) {
    this.#isChat = parameters.isChat;
  }

  /**
   * Takes a frame of the upstream. Returns what the client is to see of it now, if anything.
   * @throws UpstreamError where it is no frame, or something of a choice comes after its end
   */
  take(frame: JsonObject): JsonObject | undefined {
    const choices = frame.get("choices");
    if (!Array.isArray(choices)) throw malformed("a frame without a list of choices");
    for (const key of COMMON) {
      const value = frame.get(key) ?? null;
      if (value !== null && !this.#common.has(key)) this.#common.set(key, value);
    }
    const usage = frame.get("usage") ?? null;
    if (usage !== null) this.#usage = usage;
    const shown = choices.flatMap((choice) => this.#choice(choice));
    if (shown.length === 0) return undefined;
    const rest: JsonObject = new Map(frame);
    rest.delete("usage");
    rest.delete(SIGNATURE_FIELD);
    return rest.set("choices", shown);
  }

  /** Notes that the client was sent what `take` returned. */
  add(shown: JsonObject): void {
    for (const choice of shown.get("choices") as JsonObject[]) {
      const index = Number(choice.get("index"));
      const piece: JsonObject = new Map(choice);
      const delta = piece.get("delta");
      if (delta !== undefined) {
        piece.delete("delta");
        piece.set("message", delta);
      }
      const before = this.#choices.get(index) ?? new Map();
      mergeDelta(before, piece);
      this.#choices.set(index, before);
    }
  }

  /** Whether every choice of it has come to its end. */
  get isComplete(): boolean {
    return this.#choices.size + this.#reasons.size > 0 && this.#open().length === 0;
  }

  /** Ends what has not ended by itself. What waited for the last frame was not sent: it is no part of the answer. */
  cut(reason: string): void {
    this.#reasons.clear();
    this.#usage = null;
    for (const index of this.#choices.keys()) this.#reasons.set(index, reason);
  }

  /** What is signed: the same as of an answer that is no stream. */
  answer(): JsonObject {
    const choices = [...this.#reasons]
      .sort(([a], [b]) => a - b)
      .map(([index, reason]) => {
        const choice = this.#choices.get(index) ?? objectOf({ index });
        const message = choice.get("message");
        if (isObject(message)) finishMessage(message);
        return choice.set("finish_reason", reason);
      });
    return new Map<string, Json>([...this.#common, ["choices", choices], ["usage", this.#usage]]);
  }

  /** The frame that ends the stream: reasons to finish, usage, and no text. */
  last(): JsonObject {
    const empty = this.#isChat ? { delta: new Map<string, Json>() } : { text: "" };
    const choices = [...this.#reasons]
      .sort(([a], [b]) => a - b)
      .map(([index, reason]) => objectOf({ index, ...empty, finish_reason: reason }));
    return new Map<string, Json>([
      ...this.#common,
      ["choices", choices],
      ...(this.#usage === null ? [] : [["usage", this.#usage] as const]),
    ]);
  }

  #open(): number[] {
    return [...this.#choices.keys()].filter((index) => !this.#reasons.has(index));
  }

  /** What is shown of a choice before the last frame. */
  #choice(choice: Json): JsonObject[] {
    const index = requireIndex(choice);
    if (this.#reasons.has(index)) throw malformed("a frame of a choice that has ended");
    const rest: JsonObject = new Map(choice as JsonObject);
    const reason = rest.get("finish_reason") ?? null;
    if (reason === null) return [rest];
    if (typeof reason !== "string") throw malformed("a finish_reason that is no text");
    this.#reasons.set(index, reason);
    const says = [...rest].some(([key, value]) => {
      if (key === "index" || key === "finish_reason" || value === null || value === "")
        return false;
      return (
        !isObject(value) || [...value.values()].some((member) => member !== null && member !== "")
      );
    });
    return says ? [rest.set("finish_reason", null)] : [];
  }
}
