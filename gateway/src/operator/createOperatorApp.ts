import { BaseError } from "@haca/protocol/baseError";
import { ohttpKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { getAddress } from "ethers";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Logger } from "pino";
import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";
import type { OhttpKeys } from "../ohttp/ohttpKeys.ts";
import type { ResultSigner } from "../profile/resultSigner.ts";
import type { App } from "../server/app.ts";
import { errorText, refusalFor } from "../server/errorViews.ts";
import { readProviderKey } from "./readProviderKey.ts";

const MAXIMUM_BODY = 4096;
const UINT64 = (1n << 64n) - 1n;

const decimal = z
  .string()
  .regex(/^\d{1,20}$/, "must be an integer as a decimal text")
  .transform(BigInt)
  .refine((value) => value <= UINT64, { error: "must fit 64 bits" });
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address")
  .transform((text) => getAddress(text.toLowerCase()));
const statementSchema = z.strictObject({
  ...{ chainId: decimal, registry: address, deadline: decimal, counter: decimal },
});
const nextSchema = z.strictObject({ keyId: z.int().min(1).max(255) });

/**
 * What only the operator may ask of a gateway; never to be reachable from outside, nor by pages in a browser of this machine.
 * Nothing here signs what the caller chose:
 * - `POST /enclave/ohttp-key` `{ chainId, registry, deadline, counter }`: the current key for oblivious requests, signed for
 *   one registry
 * - `POST /enclave/ohttp-key/next` `{ keyId }`: makes the key after that one, where it is the current one still
 * - `POST /v1/keys` `{ openai_api_key }`, or another provider's: the upstream's key, once
 */
export function createOperatorApp(parameters: {
  signer: ResultSigner;
  ohttp: OhttpKeys | undefined;
  /** false where the upstream has a key, or needs none */
  giveKey: (key: string) => boolean;
  logger: Logger;
}): App {
  const { giveKey, logger, ohttp, signer } = parameters;
  const { teeId } = signer;
  const app: App = new Hono();
  app.use(async (c, next) => {
    // Browsers name the page that sends, and ask this machine's servers as readily as any other.
    if (c.req.header("origin") !== undefined) throw sentByPage();
    await next();
  });
  const limited = bodyLimit({
    maxSize: MAXIMUM_BODY,
    onError() {
      const message = `body: must have at most ${MAXIMUM_BODY} bytes`;
      throw new RefusedRequestError({ status: 413, code: "body.tooLarge", field: "body", message });
    },
  });
  app.post("/enclave/ohttp-key", limited, async (c) => {
    const { current } = requireKeys(ohttp);
    const { chainId, counter, deadline, registry } = parse(statementSchema, await c.req.text());
    const domain = teeRegistryDomain({ chainId, registry });
    const digest = ohttpKeyDigest({ domain, teeId, record: current, deadline, counter });
    return c.json({ teeId, ...current, signature: signer.sign(digest) });
  });
  app.post("/enclave/ohttp-key/next", limited, async (c) => {
    const keys = requireKeys(ohttp);
    const { keyId } = parse(nextSchema, await c.req.text());
    const record = await keys.rotate(keyId);
    logger.info({ keyId: record.keyId }, "key for oblivious requests");
    return c.json({ teeId, ...record });
  });
  app.post("/v1/keys", limited, async (c) => {
    const { key, provider } = readProviderKey(await c.req.text());
    if (!giveKey(key)) throw keyTaken();
    logger.info({ provider }, "the upstream's key was given");
    return c.json({ status: "ok", providers_initialized: [provider], heartbeat_enabled: false });
  });
  app.notFound((c) => {
    const message = `there is nothing for ${c.req.method} at this path`;
    throw new RefusedRequestError({ status: 404, code: "path.unknown", message });
  });
  app.onError((error) => {
    const refusal = refusalFor(known(error), logger);
    return new Response(errorText(refusal), {
      status: refusal.status,
      headers: { "content-type": "application/json" },
    });
  });
  return app;
}

/** What a caller can do something about. */
function known(error: Error): Error {
  if (!(error instanceof BaseError) || error.code !== "ohttp.noKeyId") return error;
  const { code, message } = error;
  return new RefusedRequestError({ status: 409, code, message });
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refused("body", "is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(issue?.path.join(".") || "body", issue?.message ?? "is malformed");
}

const refused = (field: string, reason: string): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "body.malformed", field, message: `${field}: ${reason}` },
  });

function requireKeys(ohttp: OhttpKeys | undefined): OhttpKeys {
  if (ohttp !== undefined) return ohttp;
  const message =
    "this gateway has no key for oblivious requests: it lacks the attested key, or has prices";
  throw new RefusedRequestError({ status: 503, code: "ohttp.noKey", message });
}

const sentByPage = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 403, code: "origin.refused", field: "origin" },
    message: "origin: pages of a browser may ask nothing of the operator's side",
  });

const keyTaken = (): RefusedRequestError =>
  new RefusedRequestError({
    status: 409,
    code: "keys.given",
    message:
      "the upstream has its key, or needs none, and takes no other until the gateway starts again",
  });
