import type { Json, JsonObject } from "@haca/protocol/json/json";

/** What is asked of an upstream: the canonical bytes of the client's request, and nothing else of the client's. */
export type UpstreamRequest = {
  path: "chat/completions" | "completions";
  body: Uint8Array;
  /** aborted when nobody wants the answer any more */
  signal: AbortSignal;
};

/** Where the answers come from. Everything that it throws is an UpstreamError, or the reason of the signal. */
export type Upstream = {
  complete(request: UpstreamRequest): Promise<Json>;
  /** Frames up to and without `[DONE]`; fails where they end without it. Returns once the upstream has begun to answer. */
  stream(request: UpstreamRequest): Promise<AsyncIterable<JsonObject>>;
  /** Names of models that it has. */
  models(): Promise<string[]>;
  /** Gives it its key, once. False: it has one, or needs none. */
  giveKey(key: string): boolean;
};
