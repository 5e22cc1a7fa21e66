import { BaseError } from "@haca/protocol/baseError";
import { send } from "#send";
import { toBytes } from "../../bytes.ts";
import type { SealingKey } from "../../chain/registeredNodes.ts";
import { urlAt } from "../nodeAddress.ts";
import { nodeError } from "../nodeError.ts";
import { optionError } from "../optionError.ts";
import type { Call, Sent } from "../send.ts";
import { headerOf } from "./sealingKey.ts";
import type { SealedRequest } from "./sealRequest.ts";

const REQUEST_TYPE = "message/ohttp-req";
const WHOLE_TYPE = "message/ohttp-res";
const CHUNKED_TYPE = "message/ohttp-chunked-res";
const STREAM_TYPE = "text/event-stream";
const NODE_PATH = "/v1/ohttp";
const RELAY_PATH = "/api/v1/chat/ohttp";

type Parts = {
  key: SealingKey;
  teeId: string;
  node: URL;
  /** who brings it, and is told which enclave it is for; undefined: nobody, the node sees who asks */
  relay: URL | undefined;
  /** bytes of an answer at most */
  limit: number;
};

/**
 * What seals requests, which is loaded where it is needed.
 * @throws BaseError `option.wrong` where that fails, or there is no X25519: not all browsers have it
 */
export async function loadSealing(): Promise<void> {
  try {
    const { requireSuite } = await import("./sealRequest.ts");
    await requireSuite();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const reason = `"oblivious" needs X25519 and what seals requests, and cannot have them here: ${words}`;
    throw optionError("channel", reason);
  }
}

export type Answered = {
  /** the answer is what the enclave has sealed for the request; all else are refusals, a relay's or of a node that could not open it */
  isOpened: boolean;
  sent: Sent;
  /** lets go of an answer that nobody reads */
  letGo: () => void;
};

/** Sends the body of a request, and nothing else of it, sealed to an enclave's key. */
export async function sendSealed(
  { body, headers, signal: ending }: Call,
  { key, limit, node, relay, teeId }: Parts,
): Promise<Answered> {
  const unread = new AbortController();
  const signal = AbortSignal.any([ending, unread.signal]);
  const letGo = (): void => unread.abort();
  const isStream = headers.accept === STREAM_TYPE;
  const { sealRequest } = await import("./sealRequest.ts");
  const [header, publicKey] = [headerOf(key), key.publicKey].map((hex) =>
    Uint8Array.from(toBytes(hex)),
  ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  const request = await sealRequest({ header, publicKey }, String(body));
  const { host } = relay ?? node;
  const sent = await send({
    ...{ method: "POST", signal, body: request.bytes },
    url: relay === undefined ? urlAt(node, NODE_PATH) : urlAt(relay, RELAY_PATH),
    headers: {
      ...{ "content-type": REQUEST_TYPE, accept: isStream ? CHUNKED_TYPE : WHOLE_TYPE },
      ...(relay === undefined ? {} : relayed(teeId, isStream)),
    },
  });
  if (sent.status < 200 || sent.status > 299) return { isOpened: false, sent, letGo };
  const came = { body: sent.body, limit, host, signal };
  const [type = ""] = (sent.header("content-type") ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case CHUNKED_TYPE:
      return { isOpened: true, sent: await streamOf(chunksOf(request, came)), letGo };
    case WHOLE_TYPE:
      return { isOpened: true, sent: await wholeOf(request, came), letGo };
    default:
      letGo();
      throw notSealed(host, new Error("it has another type than a sealed answer"));
  }
}

/** As the public network's relays are told. */
const relayed = (teeId: string, isStream: boolean): Record<string, string> => ({
  "x-tee-id": teeId.slice(2),
  ...(isStream ? { "x-ohttp-stream": "true" } : {}),
});

type Came = { body: Sent["body"]; limit: number; host: string; signal: AbortSignal };

/**
 * A stream as the node would have answered it in plain: one whose first event is a refusal with a status is that refusal, so that another
 * node may be asked.
 */
async function streamOf(chunks: AsyncGenerator<Uint8Array>): Promise<Sent> {
  const first = await chunks.next();
  const piece = first.done === true ? new Uint8Array() : first.value;
  const refusal = refusalIn(piece);
  if (refusal === undefined) return answerOf(200, STREAM_TYPE, behind(piece, chunks));
  await chunks.return(undefined);
  return answerOf(refusal.status, "application/json", once(refusal.text));
}

async function* behind(
  piece: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield piece;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** Of an event `{ error: { status, … } }`. */
function refusalIn(event: Uint8Array): { status: number; text: Uint8Array } | undefined {
  const [, data = ""] = /^data: (.*)\n\n$/.exec(new TextDecoder().decode(event)) ?? [];
  try {
    const status: unknown = Reflect.get(Reflect.get(JSON.parse(data), "error"), "status");
    if (typeof status !== "number" || !Number.isInteger(status)) return undefined;
    if (status < 400 || status > 599) return undefined;
    return { status, text: new TextEncoder().encode(data) };
  } catch {
    // Whoever reads the stream says what is wrong with it.
    return undefined;
  }
}

async function wholeOf(request: SealedRequest, { body, host, limit, signal }: Came): Promise<Sent> {
  try {
    const inner = innerOf(await request.openWhole(body, limit));
    return answerOf(inner.status, "application/json", once(inner.text));
  } catch (cause) {
    // Whoever has ended it says why.
    throw cause instanceof BaseError || signal.aborted ? cause : notSealed(host, cause);
  }
}

async function* chunksOf(
  request: SealedRequest,
  { body, host, limit, signal }: Came,
): AsyncGenerator<Uint8Array> {
  try {
    yield* request.openChunks(body, limit);
  } catch (cause) {
    // Whoever has ended it says why.
    throw cause instanceof BaseError || signal.aborted ? cause : notSealed(host, cause);
  }
}

/** Answers are bare, or come with a status: then the body is what stands under it. */
function innerOf(bytes: Uint8Array): { status: number; text: Uint8Array } {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const [status, body] = ["status", "body"].map((name) => Reflect.get(value as object, name));
    if (Number.isInteger(status) && status >= 200 && status <= 599 && body !== undefined) {
      return { status, text: new TextEncoder().encode(JSON.stringify(body)) };
    }
  } catch {
    // Whoever reads the answer says what is wrong with it.
  }
  return { status: 200, text: bytes };
}

const answerOf = (status: number, type: string, body: Sent["body"]): Sent => ({
  status,
  header: (name) => (name === "content-type" ? type : undefined),
  body,
});

async function* once(piece: Uint8Array): AsyncGenerator<Uint8Array> {
  yield piece;
}

const notSealed = (host: string, cause: unknown): BaseError =>
  nodeError(
    "notSealed",
    `${host} answers with something that its enclave has not sealed for this request, or not to its end`,
    { cause },
  );
