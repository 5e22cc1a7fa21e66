import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";
import { answerBytes, refusalText } from "../server/answerBytes.ts";
import { type GatewayContext, stopping } from "../server/answerRequest.ts";
import { STREAM_TYPE } from "../server/answerStream.ts";
import type { App } from "../server/app.ts";
import { legacyErrorText, refusalFor } from "../server/errorViews.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import { configView } from "./configView.ts";
import { openRequest } from "./openRequest.ts";
import { ChunkSealer, sealAnswer } from "./sealAnswer.ts";
import { sealEvents } from "./sealEvents.ts";
import { SeenRequests } from "./seenRequests.ts";

const MAXIMUM_BODY = 512 * 1024;
/** Requests that are remembered so as not to be answered twice: some 20 MB. */
const MAXIMUM_SEEN = 131_072;
const REQUEST_TYPE = "message/ohttp-req";
const RESPONSE_TYPE = "message/ohttp-res";
const CHUNKED_TYPE = "message/ohttp-chunked-res";
/** What a client may name itself by, and is neither hashed nor sent upstream. */
const DROPPED = ["user", "metadata", "x-request-id", "request_id"];

/**
 * Oblivious requests of the public network's clients, which a relay brings: the gateway learns no sender, the relay no prompt.
 * - `GET /v1/ohttp/config`: the key, signed by the enclave
 * - `POST /v1/ohttp`: a chat request that is sealed to it; everything that becomes of it once it is opened, refusals too, is
 *   sealed for the client
 */
export function addOhttpRoutes(app: App, parts: GatewayParts, isStopping: () => boolean): void {
  const seen = new SeenRequests(MAXIMUM_SEEN);
  app.get("/v1/ohttp/config", (c) => c.json(configView(requireKeys(parts), parts.signing.signer)));
  const limited = bodyLimit({
    maxSize: MAXIMUM_BODY,
    onError: (c) => refuse(c, tooLarge()),
  });
  app.post("/v1/ohttp", limited, async (c) => {
    try {
      const [type = ""] = (c.req.header("content-type") ?? "").split(";");
      if (type.trim().toLowerCase() !== REQUEST_TYPE) throw otherType();
      const keys = requireKeys(parts);
      const bytes = await bodyOf(c);
      if (isStopping()) throw stopping();
      const opened = await openRequest({ bytes, keys, seen });
      return await answerOpened({ c, parts, opened });
    } catch (error) {
      if (error instanceof ClientGoneError) throw error;
      return refuse(c, refusalFor(error, parts.logger));
    }
  });

  /** In the public network's form, which a relay reads. */
  function refuse(c: Context, refusal: RefusedRequestError): Response {
    parts.metrics.failures.inc({ code: refusal.code });
    return c.body(legacyErrorText(refusal), refusal.status, {
      "content-type": "application/json",
      ...(refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }),
    });
  }
}

async function answerOpened(parameters: {
  c: GatewayContext;
  parts: GatewayParts;
  opened: Awaited<ReturnType<typeof openRequest>>;
}): Promise<Response> {
  const { c, opened, parts } = parameters;
  const isLegacy = parts.facilitator !== undefined;
  const isStream = asksForStream(opened.text);
  let answer: Response;
  try {
    answer = await answerBytes({
      ...{ c, parts, isLegacy, path: "chat/completions", bytes: opened.text, drops: DROPPED },
      header: () => undefined,
    });
  } catch (error) {
    if (error instanceof ClientGoneError) throw error;
    const refusal = refusalFor(error, parts.logger);
    parts.metrics.failures.inc({ code: refusal.code });
    const text = refusalText(refusal, isLegacy);
    if (isStream) answer = refusedStream(text, refusal.status);
    else answer = Response.json({ status: refusal.status, body: JSON.parse(text) as unknown });
  }
  if (!isStream || answer.body === null) {
    const sealed = await sealAnswer(opened, new Uint8Array(await answer.arrayBuffer()));
    return sealedResponse(Uint8Array.from(sealed), RESPONSE_TYPE);
  }
  const sealer = await ChunkSealer.for(opened);
  return sealedResponse(sealEvents({ events: answer.body, sealer }), CHUNKED_TYPE);
}

/** One event, in which an object of an error has the status, too: nothing else of a sealed stream can have it. */
function refusedStream(text: string, status: number): Response {
  const { error } = JSON.parse(text) as { error: unknown };
  const event = typeof error === "object" ? { error: { ...error, status } } : { error };
  return new Response(`data: ${JSON.stringify(event)}\n\n`, {
    headers: { "content-type": STREAM_TYPE },
  });
}

const sealedResponse = (body: ConstructorParameters<typeof Response>[0], type: string): Response =>
  new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });

/** Whether the client waits for chunks, whatever else is wrong with its request. */
function asksForStream(text: Uint8Array): boolean {
  try {
    const json = JSON.parse(Buffer.from(text).toString("utf8")) as { stream?: unknown } | null;
    return json?.stream === true;
  } catch {
    return false;
  }
}

/** @throws ClientGoneError, RefusedRequestError */
async function bodyOf(c: GatewayContext): Promise<Uint8Array> {
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch (error) {
    if (error instanceof RefusedRequestError) throw error;
    throw new ClientGoneError();
  }
}

function requireKeys({ ohttp }: GatewayParts) {
  if (ohttp !== undefined) return ohttp;
  const message =
    "this gateway has no key for oblivious requests: it lacks the attested key, or has prices";
  throw new RefusedRequestError({ status: 503, code: "ohttp.noKey", message });
}

const tooLarge = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 413, code: "body.tooLarge", field: "body" },
    message: `body: must have at most ${MAXIMUM_BODY} bytes`,
  });

const otherType = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 415, code: "body.notOhttp", field: "content-type" },
    message: `content-type: must be ${REQUEST_TYPE}`,
  });
