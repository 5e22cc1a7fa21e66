import { Hono } from "hono";
import type { ChannelRefunds } from "../channels/channelRefunds.ts";
import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";
import { addOhttpRoutes, type SealedPayments } from "../ohttp/addOhttpRoutes.ts";
import { configView } from "../ohttp/configView.ts";
import { allowPages } from "./allowPages.ts";
import { answerBytes, asksForLegacy, refusalText } from "./answerBytes.ts";
import { type AnswerParameters, answerRequest, stopping } from "./answerRequest.ts";
import type { App } from "./app.ts";
import { refusalFor } from "./errorViews.ts";
import type { GatewayParts } from "./gatewayParts.ts";
import { only } from "./only.ts";
import { readBody } from "./readBody.ts";

const VERSION = "0.1.0";
/** Where requests are paid by channels: the base URL of an OpenAI client that pays so. */
export const CHANNEL_BASE = "/v1/channel";
/** Status of a request whose client has gone: nobody reads it, and the metrics show it. */
const CLIENT_CLOSED = 499;

/** The gateway's HTTP interface. `isStopping` says that no new request is to be answered. */
export function createGatewayApp(parameters: {
  parts: GatewayParts;
  isStopping: () => boolean;
  /** of pages that may ask; none if left out */
  origins?: readonly string[] | undefined;
  /** in place of an answer that costs nothing */
  answer?: (parameters: AnswerParameters) => Promise<Response>;
  /** the same below the path of channels; absent: that has nothing */
  answerByChannel?: ((parameters: AnswerParameters) => Promise<Response>) | undefined;
  /** how sealed requests are paid; nobody pays for them if left out */
  sealedPayments?: readonly SealedPayments[];
  /** who asks there for what is left of a channel; absent: nobody may */
  refunds?: Pick<ChannelRefunds, "answer"> | undefined;
}): App {
  const { answer = answerRequest, answerByChannel, isStopping, origins = [], parts } = parameters;
  const { refunds, sealedPayments = [] } = parameters;
  const { admission, limits, logger, metrics, models, results, signing } = parts;
  const app: App = new Hono();
  app.use(async (c, next) => {
    await next();
    metrics.requests.inc({ status: String(c.res.status) });
  });
  allowPages(app, origins);
  const answers = [
    { base: "/v1", answer },
    // A refusal has one flow of x402: who pays by channel is asked there alone.
    ...(answerByChannel === undefined ? [] : [{ base: CHANNEL_BASE, answer: answerByChannel }]),
  ].flatMap((of) =>
    (["chat/completions", "completions"] as const).map((path) => ({ ...of, path })),
  );
  for (const { answer, base, path } of answers) {
    app.post(`${base}/${path}`, async (c) => {
      requireJson(c.req.header("content-type"));
      const bytes = await readBody(c.env.incoming, limits.body);
      if (isStopping()) throw stopping();
      const header = (name: string) => c.req.header(name);
      const isLegacy = asksForLegacy(parts, c);
      return await answerBytes({ parts, c, path, bytes, header, isLegacy, answer });
    });
    const isRefunding = base === CHANNEL_BASE && refunds !== undefined;
    if (isRefunding) {
      app.get(`${base}/${path}`, async (c) => {
        if (isStopping()) throw stopping();
        return await refunds.answer({ header: c.req.header("payment-signature"), url: c.req.url });
      });
    }
    only(app, `${base}/${path}`, isRefunding ? "GET, POST" : "POST");
  }
  app.get("/v1/models", (c) =>
    c.json({
      object: "list",
      data: [...models].map(([id, modelVersion]) => ({
        ...{ id, object: "model", created: 0, owned_by: "haca", haca: { modelVersion } },
      })),
    }),
  );
  for (const below of ["", "/page"] as const) {
    const path = `/v1/results/:requestId${below}` as const;
    app.get(path, async (c) => c.json(await results.read(c.req.param("requestId"), below)));
  }
  app.get("/signing-key", (c) => {
    const { publicKey, session, teeId } = signing.signer;
    if (c.req.header("accept") === "application/x-pem-file") return c.text(publicKey);
    const hpke = parts.ohttp === undefined ? null : configView(parts.ohttp, signing.signer);
    return c.json({
      ...{ public_key: publicKey, tee_id: teeId, wallet_address: null, hpke },
      session_key: session,
      timestamp: new Date(Number(signing.clock()) * 1000).toISOString(),
      enclave_info: { platform: null, instance_type: null, version: VERSION },
      measurements: null,
    });
  });
  app.get("/enclave/attestation", async (c) => {
    if (parts.documents === undefined) {
      const message = "this gateway's settings name no enclave";
      throw new RefusedRequestError({ status: 404, code: "enclave.none", message });
    }
    return c.text(await parts.documents.documentFor(c.req.query("nonce") ?? ""));
  });
  app.get("/health", (c) =>
    c.json({
      status: isStopping() ? "STOPPING" : "OK",
      ...{ version: VERSION, tee_enabled: true, tee_id: signing.signer.teeId },
      ...{ running: admission.running, waiting: admission.waiting },
    }),
  );
  app.get("/metrics", async (c) => {
    metrics.running.set(admission.running);
    metrics.waiting.set(admission.waiting);
    c.header("content-type", metrics.registry.contentType);
    return c.body(await metrics.registry.metrics());
  });
  addOhttpRoutes({ app, parts, isStopping, payments: sealedPayments });
  for (const path of [
    ...["/v1/models", "/signing-key", "/enclave/attestation", "/health", "/metrics"],
    ...["/v1/ohttp/config", "/v1/results/:requestId", "/v1/results/:requestId/page"],
  ]) {
    only(app, path, "GET");
  }
  app.notFound(() => {
    const message = "there is nothing at this path";
    throw new RefusedRequestError({ status: 404, code: "path.unknown", message });
  });
  app.onError((error, c) => {
    const refusal = refusalFor(error, logger);
    metrics.failures.inc({ code: refusal.code });
    return new Response(refusalText(refusal, asksForLegacy(parts, c)), {
      status: error instanceof ClientGoneError ? CLIENT_CLOSED : refusal.status,
      headers: {
        ...refusal.headers,
        "content-type": "application/json",
        ...(refusal.allow === undefined ? {} : { allow: refusal.allow }),
        ...(refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }),
        // Connections that stay open would keep a gateway from ending.
        ...(isStopping() ? { connection: "close" } : {}),
      },
    });
  });
  return app;
}

function requireJson(type = ""): void {
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  const message = "content-type: must be application/json";
  throw new RefusedRequestError({
    ...{ status: 415, code: "body.notJson", field: "content-type", message },
  });
}
