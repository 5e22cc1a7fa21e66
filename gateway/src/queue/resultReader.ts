import { decodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { RefusedRequestError } from "../gatewayError.ts";
import { callHttp } from "../http/callHttp.ts";

/** A standing or a page has a few thousand bytes. */
const MAXIMUM_BYTES = 256 * 1024;
const REQUEST_ID = /^0x[0-9a-f]{64}$/;
const NOT_FOUND = 404;

/** What the worker says of results that this gateway's enclave signed: how they stand, and the pages they are in. */
export class ResultReader {
  readonly #url: string;
  readonly #node: string;
  readonly #withinMs: number;

  /** @param settings.url of the worker, without a slash at the end */
  constructor(settings: { url: string; withinMs: number; teeId: string }) {
    this.#url = settings.url;
    this.#withinMs = settings.withinMs;
    this.#node = nodeOfEnclave(settings.teeId);
  }

  /**
   * @param below `/page`, or nothing
   * @throws RefusedRequestError for an id of somebody else, one that the worker does not know, and where it does not answer
   */
  async read(requestId: string, below: "" | "/page"): Promise<object> {
    if (!REQUEST_ID.test(requestId) || decodeRequestId(requestId).node !== this.#node) {
      throw unknown("this enclave answered no such request");
    }
    const { status, value } = await this.#ask(`${this.#url}/v1/results/${requestId}${below}`);
    if (status === 200 && typeof value === "object" && value !== null) return value;
    if (status === NOT_FOUND) throw unknown(below === "" ? "there is no such result" : "no page");
    throw away();
  }

  async #ask(url: string): Promise<{ status: number; value: unknown }> {
    const headers = { accept: "application/json" };
    const { giveUp, response } = callHttp({ url, method: "GET", headers });
    const timer = setTimeout(() => giveUp(new Error("the worker is silent")), this.#withinMs);
    try {
      const answer = await response;
      let text = "";
      for await (const chunk of answer.setEncoding("utf8")) {
        text += chunk;
        if (text.length > MAXIMUM_BYTES) throw new Error("the worker's answer does not end");
      }
      return { status: answer.statusCode ?? 0, value: JSON.parse(text) };
    } catch (cause) {
      giveUp(new Error("given up"));
      throw away(cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

const unknown = (message: string): RefusedRequestError =>
  new RefusedRequestError({ status: 404, code: "result.unknown", message });

const away = (cause?: unknown): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "queue.away", message: "the worker does not say: try again", cause },
    retryAfter: 5,
  });
