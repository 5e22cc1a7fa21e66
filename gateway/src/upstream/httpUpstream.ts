import type { IncomingMessage } from "node:http";
import type { Agent } from "node:https";
import { isObject, type Json, type JsonObject } from "@haca/protocol/json/json";
import { MalformedJsonError, readStrictJson } from "@haca/protocol/json/readJson";
import { UpstreamError } from "../gatewayError.ts";
import { type CalledHttp, callHttp, type HttpCall } from "../http/callHttp.ts";
import { malformed } from "../profile/requireAnswer.ts";
import { pinnedAgent } from "./pinnedAgent.ts";
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
  discard: () => void;
};

/** A call, and why it was given up, if it was. */
type Calling = CalledHttp & { silence: Silence; reason: () => unknown; end: () => void };

/** Any OpenAI-compatible HTTP interface. It is sent the canonical bytes and its own key; redirections are not followed. */
export class HttpUpstream implements Upstream {
  readonly #settings: HttpUpstreamSettings;
  /** where certificates are pinned */
  readonly #agent: Agent | undefined;
  #key: string | undefined;

  constructor(settings: HttpUpstreamSettings) {
    this.#settings = settings;
    this.#agent = settings.certificates && pinnedAgent(settings.certificates);
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
    discard();
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
    const calling = begin(call, {
      ...{ silenceMs, agent: this.#agent },
      url: `${url}/${call.path}`,
      headers: {
        accept: "application/json, text/event-stream",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
    });
    let response: IncomingMessage;
    try {
      response = await calling.response;
    } catch (cause) {
      calling.end();
      throw failure(calling.reason(), cause);
    } finally {
      calling.silence.end();
    }
    const chunks = this.#chunks(response, calling);
    const discard = () => {
      calling.end();
      response.destroy();
    };
    const { headers, statusCode: status = 0 } = response;
    if (status < 200 || status > 299) {
      throw await refusalOf({ status, headers, chunks, discard, key });
    }
    const [type = ""] = (headers["content-type"] ?? "").split(";");
    return { type: type.trim().toLowerCase(), chunks, discard };
  }

  async *#chunks(
    response: IncomingMessage,
    { end, reason, silence }: Calling,
  ): AsyncGenerator<Uint8Array> {
    let left = this.#settings.maximumAnswer;
    try {
      silence.heard();
      for await (const value of response) {
        // Whoever is slow to take a chunk does not make the upstream a silent one.
        silence.end();
        left -= value.length;
        if (left < 0) throw tooLarge(this.#settings.maximumAnswer);
        yield value;
        silence.heard();
      }
    } catch (cause) {
      throw failure(reason(), cause);
    } finally {
      silence.end();
      end();
    }
  }
}

/** Calls, until the answer has ended or somebody gives it up. */
function begin(
  { body, method, signal }: Call,
  settings: Pick<HttpCall, "agent" | "headers" | "url"> & { silenceMs: number },
): Calling {
  const { silenceMs, ...rest } = settings;
  let reason: unknown;
  const giveUp = (why: Error) => {
    reason ??= why;
    called.giveUp(why);
  };
  const onAbort = () => giveUp(signal?.reason);
  const called = callHttp({ ...rest, method, body });
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  return {
    ...{ response: called.response, giveUp, reason: () => reason },
    silence: new Silence(silenceMs, () => giveUp(silent())),
    end: () => signal?.removeEventListener("abort", onAbort),
  };
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
function failure(reason: unknown, cause: unknown): unknown {
  if (reason !== undefined) return reason;
  if (cause instanceof UpstreamError) return cause;
  const message = "the upstream cannot be reached, or has closed the connection";
  return new UpstreamError({ status: 502, code: "upstream.away", message, cause });
}
