import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { isObject } from "@haca/protocol/json/json";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { QueueError } from "../gatewayError.ts";
import { callHttp } from "../http/callHttp.ts";
import type { SignedResult } from "../profile/signAnswer.ts";

const FIRST_PAUSE_MS = 50;
const ACCEPTED = 202;
const UNAUTHORIZED = 401;
const NO_JSON = 415;
/** What a worker takes at once. */
const MAXIMUM_LIST = 256;
/** Lists that are on their way at the same time. */
const MAXIMUM_SENDING = 2;
const MAXIMUM_WORDS = 300;

export type ResultQueueSettings = {
  /** of the worker, without a slash at the end */
  url: string;
  /** shown with each result as a bearer token, where there is one */
  secret: string | undefined;
  /** how long a result is handed in again before its answer is given up */
  withinMs: number;
};

type Waiting = {
  result: SignedResult;
  deadline: AbortSignal;
  /** whether it is on the worker's disk */
  resolve: (isTaken: boolean) => void;
  reject: (error: Error) => void;
};

/** What a worker says of itself when it is asked without a result. */
export type QueueState = "ready" | "unauthorized" | "away";

/**
 * The worker's queue of results, at its role `collect`. The worker believes no caller: by the settlement contract's
 * word it knows whether the enclave's signature is good.
 */
export class ResultQueue {
  readonly #url: string;
  readonly #withinMs: number;
  readonly #waiting: Waiting[] = [];
  #sending = 0;
  readonly #authorization: Readonly<Record<string, string>>;

  constructor({ secret, url, withinMs }: ResultQueueSettings) {
    this.#url = url;
    this.#withinMs = withinMs;
    this.#authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  }

  /**
   * Returns when the result is on the worker's disk. The same result can be handed in any number of times. Those that come
   * while others are on their way go together, as one list.
   * @throws QueueError `queue.refused` where the worker refuses it, `queue.unusable` where it takes nothing from here,
   * `queue.away` where it has not taken it in time
   */
  async deliver(result: SignedResult): Promise<void> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), this.#withinMs);
    const deadline = over.signal;
    try {
      for (let wait = FIRST_PAUSE_MS; ; wait *= 2) {
        if (await this.#join(result, deadline)) return;
        await pause(wait, undefined, { signal: deadline }).catch(() => undefined);
        if (deadline.aborted) throw away();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Offers it with the next list. False: try again. */
  async #join(result: SignedResult, deadline: AbortSignal): Promise<boolean> {
    const offered = new Promise<boolean>((resolve, reject) => {
      this.#waiting.push({ result, deadline, resolve, reject });
      deadline.addEventListener("abort", () => resolve(false), { once: true });
    });
    void this.#send();
    return await offered;
  }

  /** As long as somebody waits, lists one after another; so many at the same time that one alone seldom waits for another. */
  async #send(): Promise<void> {
    if (this.#sending === MAXIMUM_SENDING) return;
    this.#sending += 1;
    while (this.#waiting.length > 0) {
      const list = this.#waiting.splice(0, MAXIMUM_LIST);
      // The answer of one whose time was over is given up already.
      const wanted = list.filter(({ deadline }) => !deadline.aborted);
      if (wanted.length > 0) await this.#offerAll(wanted);
    }
    this.#sending -= 1;
  }

  async #offerAll(list: readonly Waiting[]): Promise<void> {
    try {
      const [first] = list;
      const body =
        list.length === 1 ? first?.result : { results: list.map(({ result }) => result) };
      const isTaken = await this.#offer(JSON.stringify(body));
      for (const { resolve } of list) resolve(isTaken);
    } catch (error) {
      if (list.length === 1) list[0]?.reject(error as Error);
      // One that is refused keeps no other out.
      else for (const waiting of list) await this.#offerAll([waiting]);
    }
  }

  /** Whether it answers, and would take in results from here. Hands in nothing. */
  async state(): Promise<QueueState> {
    try {
      const response = await fetch(`${this.#url}/v1/results`, {
        ...{ method: "POST", headers: this.#authorization, redirect: "error" },
        signal: AbortSignal.timeout(this.#withinMs),
      });
      await response.body?.cancel();
      if (response.status === UNAUTHORIZED) return "unauthorized";
      // The path is there, and wants a body.
      return response.status === NO_JSON ? "ready" : "away";
    } catch {
      return "away";
    }
  }

  /** False: try again. */
  async #offer(body: string): Promise<boolean> {
    const { giveUp, response } = callHttp({
      url: `${this.#url}/v1/results`,
      method: "POST",
      headers: { "content-type": "application/json", ...this.#authorization },
      body,
    });
    const timer = setTimeout(() => giveUp(away()), this.#withinMs);
    let status: number;
    let words = "";
    try {
      const answer = await response;
      status = answer.statusCode ?? 0;
      const said = await buffer(answer);
      if (status !== ACCEPTED) words = reasonIn(said);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
    if (status === ACCEPTED) return true;
    if (status >= 500 || status === 429) return false;
    // What it says of anything but the result would be the same of every result.
    const code = /^(result|request)\./.test(words) ? "queue.refused" : "queue.unusable";
    const message = `the worker does not take the result, so that there is no answer: ${words}`;
    throw new QueueError({ status: 500, code, message });
  }
}

const away = (): QueueError =>
  new QueueError({
    status: 503,
    code: "queue.away",
    message: "the worker's queue does not take results now, and without it there is no answer",
    retryAfter: 1,
  });

function reasonIn(bytes: Uint8Array): string {
  try {
    const body = readStrictJson(bytes);
    const error = isObject(body) ? body.get("error") : undefined;
    const code = isObject(error) ? error.get("code") : undefined;
    const message = isObject(error) ? error.get("message") : undefined;
    if (typeof code === "string") return `${code}: ${message}`.slice(0, MAXIMUM_WORDS);
  } catch {
    // It says nothing that can be read.
  }
  return "it does not say why";
}
