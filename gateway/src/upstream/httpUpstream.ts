import { UpstreamError } from "../gatewayError.ts";
import { isObject, type Json, type JsonObject } from "../json/json.ts";
import { MalformedJsonError, readStrictJson } from "../json/readJson.ts";
import { malformed } from "../profile/requireAnswer.ts";
import { pinnedFetch, type Send } from "./pinnedFetch.ts";
import { readEvents } from "./readEvents.ts";
import { refusalOf } from "./refusalOf.ts";
import { Silence } from "./silence.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

const DONE = "[DONE]";

export type HttpUpstreamSettings = {
  /** up to `/v1` or whatever stands there, without a slash at the end */
  url: string;
  /** sent as a bearer token, where there is one */
  key: string | undefined;
  /** SHA-256 of the certificates that it may show, lower-case hex; absent: any that an authority vouches for */
  certificates?: readonly string[] | undefined;
  /** silence after which it counts as dead */
  silenceMs: number;
  /** bytes of an answer at most, of all frames together */
  maximumAnswer: number;
};

type Call = { method: "GET" | "POST"; path: string; body?: Uint8Array; signal?: AbortSignal };

/** An answer that has begun: its body is read by chunks, or discarded. */
type Answering = {
  type: string;
  chunks: AsyncGenerator<Uint8Array>;
  discard: () => Promise<void>;
};

/** Any OpenAI-compatible HTTP interface. It is sent the canonical bytes and its own key; redirections are not followed. */
export class HttpUpstream implements Upstream {
  readonly #settings: HttpUpstreamSettings;
  readonly #send: Send;
  #key: string | undefined;

  constructor(settings: HttpUpstreamSettings) {
    this.#settings = settings;
    this.#send = settings.certificates === undefined ? fetch : pinnedFetch(settings.certificates);
    this.#key = settings.key;
  }

  /** Gives it its key, once. False: it has one already. */
  giveKey(key: string): boolean {
    if (this.#key !== undefined) return false;
    this.#key = key;
    return true;
  }

  async complete({ body, path, signal }: UpstreamRequest): Promise<Json> {
    return await this.#json({ method: "POST", path, body, signal });
  }

  async stream({ body, path, signal }: UpstreamRequest): Promise<AsyncIterable<JsonObject>> {
    const { chunks, discard, type } = await this.#call({ method: "POST", path, body, signal });
    if (type === "text/event-stream") return framesOf(chunks);
    await discard();
    throw malformed("it is no stream");
  }

  async models(): Promise<string[]> {
    const answer = await this.#json({ method: "GET", path: "models" });
    const list = isObject(answer) ? answer.get("data") : undefined;
    if (!Array.isArray(list)) throw malformed("its models are no list");
    return list.flatMap((model) => {
      const id = isObject(model) ? model.get("id") : undefined;
      return typeof id === "string" ? [id] : [];
    });
  }

  async #json(call: Call): Promise<Json> {
    const { chunks } = await this.#call(call);
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return parse(Buffer.concat(parts));
  }

  /** Asks, and returns the body of an answer that is none of failure, chunk by chunk. */
  async #call(call: Call): Promise<Answering> {
    const { silenceMs, url } = this.#settings;
    const key = this.#key;
    const silence = new Silence(silenceMs, silent);
    const signal = AbortSignal.any([silence.signal, ...(call.signal ? [call.signal] : [])]);
    let response: Response;
    try {
      response = await this.#send(`${url}/${call.path}`, {
        method: call.method,
        headers: {
          accept: "application/json, text/event-stream",
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        ...(call.body === undefined ? {} : { body: Uint8Array.from(call.body) }),
        redirect: "error",
        signal,
      });
    } catch (cause) {
      throw failure(signal, cause);
    } finally {
      silence.end();
    }
    const chunks = this.#chunks(response, { silence, signal });
    const discard = async () => await response.body?.cancel().catch(() => undefined);
    if (!response.ok) throw await refusalOf({ response, chunks, discard, key });
    const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
    return { type: type.trim().toLowerCase(), chunks, discard };
  }

  async *#chunks(
    response: Response,
    { silence, signal }: { silence: Silence; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    let left = this.#settings.maximumAnswer;
    try {
      while (reader !== undefined) {
        silence.heard();
        const { done, value } = await reader.read();
        // Whoever is slow to take a chunk does not make the upstream a silent one.
        silence.end();
        if (done) return;
        left -= value.length;
        if (left < 0) throw tooLarge(this.#settings.maximumAnswer);
        yield value;
      }
    } catch (cause) {
      throw failure(signal, cause);
    } finally {
      silence.end();
      await reader?.cancel().catch(() => undefined);
    }
  }
}

async function* framesOf(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<JsonObject> {
  for await (const data of readEvents(chunks)) {
    if (Buffer.from(data).toString("latin1").trim() === DONE) return;
    const frame = parse(data);
    if (!isObject(frame)) throw malformed("a frame that is no object");
    if ((frame.get("error") ?? null) !== null) throw midway("it reports an error");
    yield frame;
  }
  throw midway(`it ends without ${DONE}`);
}

function parse(bytes: Uint8Array): Json {
  try {
    return readStrictJson(bytes);
  } catch (error) {
    if (error instanceof MalformedJsonError) throw malformed(error.message);
    throw error;
  }
}

const midway = (what: string): UpstreamError =>
  new UpstreamError({
    status: 502,
    code: "upstream.failedMidway",
    message: `the upstream's stream is not signed: ${what}`,
  });

const silent = (): UpstreamError =>
  new UpstreamError({
    status: 504,
    code: "upstream.silent",
    message: "the upstream has been silent for too long",
  });

const tooLarge = (maximum: number): UpstreamError =>
  new UpstreamError({
    status: 502,
    code: "upstream.tooLarge",
    message: `the upstream's answer has more than ${maximum} bytes`,
  });

/** Why there is no answer: who gave up, or that the connection is lost. */
function failure(signal: AbortSignal, cause: unknown): unknown {
  if (signal.aborted) return signal.reason;
  if (cause instanceof UpstreamError) return cause;
  const message = "the upstream cannot be reached, or has closed the connection";
  return new UpstreamError({ status: 502, code: "upstream.away", message, cause });
}
