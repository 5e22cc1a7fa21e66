import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";
import { type PaidParameters, SEALED_PATH, sealedPayable } from "../payments/payable.ts";
import { type GatewayContext, stopping } from "../server/answerRequest.ts";
import type { App } from "../server/app.ts";
import { legacyErrorText, refusalFor } from "../server/errorViews.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import { only } from "../server/only.ts";
import { answerUnpaid, paidSealed } from "./answerOpened.ts";
import { configView } from "./configView.ts";
import type { OhttpKeys } from "./ohttpKeys.ts";
import { SeenRequests } from "./seenRequests.ts";

const MAXIMUM_BODY = 512 * 1024;
/** Requests that are remembered so as not to be answered twice: some 20 MB. */
const MAXIMUM_SEEN = 131_072;
const REQUEST_TYPE = "message/ohttp-req";

/** How sealed requests are paid at a path. */
export type SealedPayments = {
  /** of the path: what stands before `ohttp` */
  base: string;
  answer: (parameters: PaidParameters) => Promise<Response>;
  /** whether a failure costs the payer all the same */
  keepsMoney: boolean;
};

/**
 * Oblivious requests of the public network's clients, which a relay brings: the gateway learns no sender, the relay no prompt.
 * - `GET /v1/ohttp/config`: the key, signed by the enclave
 * - `POST /v1/ohttp`: a chat request that is sealed to it; everything that becomes of it once it is opened, refusals too, is
 *   sealed for the client. Where it is paid, who brings it pays, and is asked before it is opened
 */
export function addOhttpRoutes(parameters: {
  app: App;
  parts: GatewayParts;
  isStopping: () => boolean;
  /** empty: nobody pays */
  payments: readonly SealedPayments[];
}): void {
  const { app, isStopping, parts, payments } = parameters;
  const seen = new SeenRequests(MAXIMUM_SEEN);
  app.get("/v1/ohttp/config", (c) => c.json(configView(requireKeys(parts), parts.signing.signer)));
  const limited = bodyLimit({
    maxSize: MAXIMUM_BODY,
    onError: (c) => refuse(c, tooLarge()),
  });
  if (payments.length === 0) serve("/v1", (asked) => answerUnpaid({ ...asked, parts, seen }));
  for (const { answer, base, keepsMoney } of payments) {
    serve(base, ({ bytes, c, keys }) => {
      const make = paidSealed({ c, bytes, keys, seen, keepsMoney });
      return answer({ c, parts, request: sealedPayable(bytes), make });
    });
  }

  type Asked = { c: GatewayContext; bytes: Uint8Array; keys: OhttpKeys };

  function serve(base: string, answer: (asked: Asked) => Promise<Response>): void {
    app.post(`${base}/${SEALED_PATH}`, limited, async (c) => {
      try {
        const [type = ""] = (c.req.header("content-type") ?? "").split(";");
        if (type.trim().toLowerCase() !== REQUEST_TYPE) throw otherType();
        const keys = requireKeys(parts);
        const bytes = await bodyOf(c);
        if (isStopping()) throw stopping();
        return await answer({ c, bytes, keys });
      } catch (error) {
        if (error instanceof ClientGoneError) throw error;
        return refuse(c, refusalFor(error, parts.logger));
      }
    });
    only(app, `${base}/${SEALED_PATH}`, "POST");
  }

  /** In the public network's form, which a relay reads. */
  function refuse(c: Context, refusal: RefusedRequestError): Response {
    parts.metrics.failures.inc({ code: refusal.code });
    return c.body(legacyErrorText(refusal), refusal.status, {
      ...refusal.headers,
      "content-type": "application/json",
      ...(refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }),
    });
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

function requireKeys({ ohttp }: GatewayParts): OhttpKeys {
  if (ohttp !== undefined) return ohttp;
  const message =
    "this gateway has no key for oblivious requests: it lacks the attested key, or has prices, and none for them";
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
