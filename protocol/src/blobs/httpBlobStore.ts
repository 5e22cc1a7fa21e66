import { z } from "zod";
import { BlobError } from "./blobError.ts";
import { type BlobIds, contentId, isBlobId, requireBlobId } from "./blobId.ts";
import type { BlobCheck, BlobStore, StoredBlob } from "./blobStore.ts";

/** Largest answer of a publisher that is looked at; its description of a blob has about 1 kB. */
const MAXIMUM_ANSWER = 65_536;

export type HttpBlobStoreOptions = {
  /** URL that contents are PUT to, path included: `https://publisher.example/v1/blobs` */
  publisher: string;
  /** URL above `/v1/blobs/<id>`: `https://aggregator.example` */
  aggregator: string;
  /** how ids come about */
  ids: BlobIds;
  /** storage epochs that are paid for */
  epochs: number;
  /** for a whole request and its answer */
  timeoutMs: number;
  /** of one blob, to be stored or to be read */
  maximumBytes: number;
  /** stops what is in flight */
  signal?: AbortSignal;
};

/** A publisher's answer; what else is in there is its own business. */
const answerSchema = z.object({
  newlyCreated: z.object({ blobObject: z.object({ blobId: z.string() }) }).optional(),
  alreadyCertified: z.object({ blobId: z.string() }).optional(),
});

/**
 * A blob store behind the HTTP interface of Walrus: `PUT {publisher}?epochs=N` and `GET {aggregator}/v1/blobs/<id>`.
 * The folder server of `npm run blobs` speaks it too. One attempt each; whoever calls decides about further ones.
 */
export function createHttpBlobStore(options: HttpBlobStoreOptions): BlobStore {
  return {
    put: ({ bytes }) => put({ options, bytes }),
    read: ({ id, check }) => read({ options, id, check }),
  };
}

async function put(parameters: {
  options: HttpBlobStoreOptions;
  bytes: Uint8Array;
}): Promise<StoredBlob> {
  const { options, bytes } = parameters;
  const { publisher, epochs, ids, maximumBytes } = options;
  if (bytes.length > maximumBytes) throw tooLarge(`${bytes.length} bytes`, maximumBytes);
  const url = new URL(publisher);
  url.searchParams.set("epochs", String(epochs));
  const answer = await exchange({
    options,
    url,
    request: {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: Uint8Array.from(bytes),
    },
    maximumBytes: MAXIMUM_ANSWER,
  });
  const stored = parseAnswer({ url, answer });
  const own = contentId(bytes);
  if (ids === "sha256" && stored.id !== own) {
    throw new BlobError({
      code: "blob.otherId",
      message: `${nameOf(url)} answers blob ${stored.id} for a content whose id is ${own}`,
    });
  }
  return stored;
}

function parseAnswer(parameters: { url: URL; answer: Uint8Array }): StoredBlob {
  const { url, answer } = parameters;
  let parsed: z.infer<typeof answerSchema>;
  try {
    parsed = answerSchema.parse(JSON.parse(Buffer.from(answer).toString("utf8")));
  } catch (cause) {
    throw malformedAnswer({ url, words: "no JSON of the interface", cause });
  }
  const { newlyCreated, alreadyCertified } = parsed;
  const id = newlyCreated?.blobObject.blobId ?? alreadyCertified?.blobId;
  if (id === undefined) {
    throw malformedAnswer({ url, words: "neither newlyCreated nor alreadyCertified" });
  }
  if (isBlobId(id)) return { id, isNew: newlyCreated !== undefined };
  throw malformedAnswer({ url, words: `${JSON.stringify(id.slice(0, 100))} as a blobId` });
}

function malformedAnswer(parameters: { url: URL; words: string; cause?: unknown }): BlobError {
  const { url, words, cause } = parameters;
  const message = `${nameOf(url)} answers ${words}`;
  return new BlobError({ code: "blob.malformedAnswer", message, cause });
}

async function read<Content>(parameters: {
  options: HttpBlobStoreOptions;
  id: string;
  check: BlobCheck<Content>;
}): Promise<Content> {
  const { options, id, check } = parameters;
  requireBlobId(id);
  const { aggregator, ids, maximumBytes } = options;
  const url = new URL(`${aggregator.replace(/\/+$/, "")}/v1/blobs/${id}`);
  const bytes = await exchange({ options, url, request: { method: "GET" }, maximumBytes });
  const actual = contentId(bytes);
  if (ids === "sha256" && actual !== id) {
    throw new BlobError({
      code: "blob.otherContent",
      message: `${nameOf(url)} answers a content with id ${actual} for blob ${id}`,
    });
  }
  return check(bytes);
}

/** One request; the body of an answer that is a success, at most `maximumBytes` of it. */
async function exchange(parameters: {
  options: HttpBlobStoreOptions;
  url: URL;
  request: RequestInit;
  maximumBytes: number;
}): Promise<Uint8Array> {
  const { options, url, request, maximumBytes } = parameters;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal =
    options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  let response: Response;
  try {
    response = await fetch(url, { ...request, redirect: "error", signal });
  } catch (cause) {
    throw failureOf({ url, cause, timeout, code: "blob.unreachable", words: "cannot be reached" });
  }
  if (!response.ok) {
    await response.body?.cancel().catch(() => undefined);
    throw statusError({ url, status: response.status });
  }
  try {
    return await collect({ response, maximumBytes });
  } catch (cause) {
    if (cause instanceof BlobError) throw cause;
    throw failureOf({ url, cause, timeout, code: "blob.truncated", words: "breaks off" });
  }
}

async function collect(parameters: {
  response: Response;
  maximumBytes: number;
}): Promise<Uint8Array> {
  const { response, maximumBytes } = parameters;
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an error ends the connection: nothing more of too long an answer is read.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maximumBytes) throw tooLarge("more", maximumBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function failureOf(parameters: {
  url: URL;
  cause: unknown;
  timeout: AbortSignal;
  code: "blob.unreachable" | "blob.truncated";
  words: string;
}): BlobError {
  const { url, cause, timeout, code, words } = parameters;
  if (timeout.aborted) {
    return new BlobError({
      code: "blob.timeout",
      message: `${nameOf(url)} does not answer in time`,
      cause,
    });
  }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new BlobError({ code, message: `${nameOf(url)} ${words}: ${reason}`, cause });
}

function statusError(parameters: { url: URL; status: number }): BlobError {
  const { url, status } = parameters;
  const message = `${nameOf(url)} answers with status ${status}`;
  if (status === 404) return new BlobError({ code: "blob.notFound", message });
  if (status === 413) return new BlobError({ code: "blob.tooLarge", message });
  const isPassing = status >= 500 || status === 408 || status === 429;
  return new BlobError({ code: isPassing ? "blob.serverFailed" : "blob.refused", message });
}

const tooLarge = (size: string, maximum: number): BlobError =>
  new BlobError({
    code: "blob.tooLarge",
    message: `the blob has ${size}, at most ${maximum} bytes are taken`,
  });

/** Without user, password and query, which may be secret. */
const nameOf = (url: URL): string => `${url.origin}${url.pathname}`;
