import { createPublicKey } from "node:crypto";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { hashObservation, sourceHashOf } from "@haca/protocol/dataFeeds";
import {
  heartbeatMessage,
  MAXIMUM_SESSION,
  sessionKeyDigest,
  teeRegistryDomain,
} from "@haca/protocol/teeMessages";
import { getAddress, getBytes, hexlify } from "ethers";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { observeSource } from "./observeSource.ts";
import { RequestError } from "./requestError.ts";
import type { SimulatedEnclave } from "./simulatedEnclave.ts";

const NONCE = /^[0-9a-fA-F]{40}$/;
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
const sessionSchema = z.strictObject({
  chainId: decimal,
  registry: address,
  key: address,
  signsResults: z.boolean(),
  until: decimal,
  counter: decimal,
});
const observationSchema = z.strictObject({
  chainId: decimal,
  feeds: address,
  feedId: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 32 bytes of hex"),
  url: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
  pointer: z.string().regex(/^\//, "must begin with /"),
  decimals: z.int().min(0).max(18),
});

type Clock = () => bigint;

/**
 * What a simulated enclave answers to everybody, at the paths of the public network's gateway:
 * - `GET /enclave/attestation?nonce=<40 hex>`: a document with `clientNonce` of the nonce, in base64, as text with a line
 *   end. Whoever asks here never gets a document that registers the enclave
 * - `GET /signing-key`: `{ public_key: <PEM>, tee_id, … }`, or the PEM alone for `Accept: application/x-pem-file`
 * Refusals are `{ "error": { "code", "field", "message" } }`.
 */
export function createPublicApp(parameters: { enclave: SimulatedEnclave; clock: Clock }): Hono {
  return createReadApp({ ...parameters, nonceOf: (asked) => getBytes(clientNonce(asked)) });
}

/** Document and key, with documents whose nonce is `nonceOf` what was asked. */
function createReadApp(parameters: {
  enclave: SimulatedEnclave;
  clock: Clock;
  nonceOf: (asked: Uint8Array) => Uint8Array;
}): Hono {
  const { enclave, clock, nonceOf } = parameters;
  const app = new Hono();
  app.get("/enclave/attestation", (c) => {
    const nonce = c.req.query("nonce") ?? "";
    if (!NONCE.test(nonce)) {
      const message = `nonce: must be 40 hex digits, got ${nonce.length} characters`;
      throw new RequestError({ status: 400, code: "nonce.malformed", field: "nonce", message });
    }
    const document = enclave.attest({ now: clock(), nonce: nonceOf(getBytes(`0x${nonce}`)) });
    return c.text(`${Buffer.from(document).toString("base64")}\n`);
  });
  const key = createPublicKey({
    key: Buffer.from(enclave.signingKey),
    format: "der",
    type: "spki",
  }).export({ format: "pem", type: "spki" });
  app.get("/signing-key", (c) => {
    if (c.req.header("accept") === "application/x-pem-file") return c.text(key.toString());
    return c.json({
      ...{ public_key: key.toString(), tee_id: enclave.teeId, wallet_address: null, hpke: null },
      timestamp: new Date(Number(clock()) * 1000).toISOString(),
      enclave_info: { platform: "simulated", instance_type: null, version: null },
      measurements: null,
    });
  });
  finish(app);
  return app;
}

/**
 * The same, and what only the operator's worker may ask; never to be reachable from outside. Nothing here signs a
 * message that the caller chose:
 * - `GET /enclave/attestation?nonce=<40 hex>`: a document with this very nonce, for a registration
 * - `POST /enclave/heartbeat`: a heartbeat at the enclave's own time, so that none can be had in advance
 * - `POST /enclave/session-key` `{ chainId, registry, key, signsResults, until, counter }`: certifies a session key
 *   (EIP-712), at most 30 days ahead; one that signs results only with `certifiesResultKeys`, because whoever holds it
 *   speaks for the enclave
 * - `POST /enclave/observation` `{ chainId, feeds, feedId, url, pointer, decimals }`: fetches the source and signs what it
 *   answers, at the enclave's own time, under the source's name: the caller chooses neither value nor time
 */
export function createOperatorApp(parameters: {
  enclave: SimulatedEnclave;
  clock: Clock;
  certifiesResultKeys: boolean;
}): Hono {
  const { enclave, clock, certifiesResultKeys } = parameters;
  const { teeId } = enclave;
  const app = new Hono();
  app.post("/enclave/heartbeat", (c) => {
    const timestamp = clock();
    const signature = hexlify(enclave.sign(heartbeatMessage({ teeId, timestamp })));
    return c.json({ teeId, timestamp: timestamp.toString(), signature });
  });
  const limit = bodyLimit({
    maxSize: MAXIMUM_BODY,
    onError: () => {
      const message = `body: must not be larger than ${MAXIMUM_BODY} bytes`;
      throw new RequestError({ status: 413, code: "body.tooLarge", field: "body", message });
    },
  });
  app.post("/enclave/session-key", limit, async (c) => {
    const body = parseBody(sessionSchema, await c.req.text());
    const { chainId, registry, key, signsResults, until, counter } = body;
    if (signsResults && !certifiesResultKeys) {
      const message = "signsResults: this enclave certifies keys for heartbeats alone";
      const reason = { code: "session.noResults", field: "signsResults", message };
      throw new RequestError({ status: 403, ...reason });
    }
    const now = clock();
    if (until <= now || until > now + MAXIMUM_SESSION) {
      const message = `until: must be after ${now}, at most ${MAXIMUM_SESSION} s, got ${until}`;
      throw new RequestError({ status: 400, code: "session.badTime", field: "until", message });
    }
    const domain = teeRegistryDomain({ chainId, registry });
    const digest = sessionKeyDigest({ domain, teeId, key, signsResults, until, counter });
    return c.json({ teeId, signature: hexlify(enclave.sign(digest)) });
  });
  app.post("/enclave/observation", limit, async (c) => {
    const body = parseBody(observationSchema, await c.req.text());
    const { chainId, feeds, feedId, decimals, ...source } = body;
    const value = await observeSource({ source, decimals });
    const observedAt = clock();
    const observation = {
      ...{ feedId, sourceHash: sourceHashOf(source), value, decimals, observedAt, teeId },
    };
    const signature = hexlify(enclave.sign(hashObservation({ chainId, feeds, observation })));
    return c.json({ teeId, value: String(value), observedAt: String(observedAt), signature });
  });
  app.route("/", createReadApp({ ...parameters, nonceOf: (asked) => asked }));
  finish(app);
  return app;
}

function parseBody<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const message = "body: is not JSON";
    throw new RequestError({ status: 400, code: "body.malformed", field: "body", message, cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "body";
  const message = `${field}: ${issue?.message}`;
  throw new RequestError({ status: 400, code: "body.malformed", field, message });
}

function finish(app: Hono): void {
  app.notFound((c) =>
    refuse(c, {
      status: 404,
      code: "path.unknown",
      field: null,
      message: `there is nothing for ${c.req.method} at ${c.req.path}`,
    }),
  );
  app.onError((error, c) => {
    if (error instanceof RequestError) return refuse(c, error);
    throw error;
  });
}

function refuse(
  c: Context,
  error: Pick<RequestError, "status" | "code" | "field" | "message">,
): Response {
  const { code, field, message, status } = error;
  return c.json({ error: { code, field, message } }, status);
}
