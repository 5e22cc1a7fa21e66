import type { StoredAnswer } from "../answers/answerFile.ts";
import type { Making } from "../answers/answerStore.ts";
import {
  ClientGoneError,
  isOfRequest,
  QueueError,
  RefusedRequestError,
  SEALED_REFUSAL,
  SealedRefusalError,
} from "../gatewayError.ts";
import type { MakePaid } from "../payments/payable.ts";
import { sealedAfterPayment } from "../payments/refusals.ts";
import { answerBytes, refusalText } from "../server/answerBytes.ts";
import {
  type AnswerParameters,
  answerRequest,
  type GatewayContext,
} from "../server/answerRequest.ts";
import { refusalFor } from "../server/errorViews.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import { refused } from "../server/requestBody.ts";
import type { OhttpKeys } from "./ohttpKeys.ts";
import { type OpenedRequest, openRequest } from "./openRequest.ts";
import { refusalInside, sealResponse, sealText, sentSealed } from "./sealedForms.ts";
import type { SeenRequests } from "./seenRequests.ts";

/** What a client may name itself by, and is neither hashed nor sent upstream. */
const DROPPED = ["user", "metadata", "x-request-id", "request_id"];
/** What would be a payment, in small letters. */
const PAYMENT = new Set(["payment", "payment-signature", "x-payment"]);

type Bytes = { c: GatewayContext; bytes: Uint8Array; keys: OhttpKeys; seen: SeenRequests };

/** Answers a sealed request that costs nothing. @throws RefusedRequestError where it does not open; ClientGoneError */
export async function answerUnpaid({
  c,
  parts,
  ...request
}: Bytes & { parts: GatewayParts }): Promise<Response> {
  const opened = await openRequest(request);
  const isStream = asksForStream(opened.text);
  try {
    const answer = await answerInside({ c, parts, opened });
    return await sealResponse({ opened, isStream, answer });
  } catch (error) {
    return sentSealed(await sealRefusal({ parts, opened, isStream, error }));
  }
}

/**
 * Answers a sealed request that is paid for. It is opened first: for one that does not open nobody pays. Nothing else of it is
 * looked at before it is paid, so that nothing that is told until then depends on what is in it. From then on only its client is
 * told what becomes of it. What is kept of the answer is sealed for the client, too.
 * @param keepsMoney whether a failure costs the payer all the same, so that clients had better not ask anew
 */
export const paidSealed =
  ({ c, bytes, keepsMoney, keys, seen }: Bytes & { keepsMoney: boolean }): MakePaid =>
  async ({ fields, isNoted, parts }) => {
    const { repeat } = fields;
    const entered = parts.answers.enter(repeat);
    if ("before" in entered) return sentSealed(await entered.before);
    const { making } = entered;
    try {
      const opened = await openRequest({ bytes, keys, seen, payment: repeat.name });
      const leave = await parts.admission.enter(c.req.raw.signal).catch((error: unknown) => {
        if (!isNoted()) seen.forget(opened.encapsulated, repeat.name);
        throw error;
      });
      const isStream = asksForStream(opened.text);
      const kept = new KeptSealed({ parts, making, opened, isStream, leave });
      try {
        const answer = await answerInside({
          ...{ c, parts: kept.parts, opened },
          answer: ({ request, ...rest }) =>
            answerRequest({ ...rest, request: { ...request, repeat } }),
        });
        return kept.sent() ?? (await sealResponse({ opened, isStream, answer }));
      } catch (error) {
        leave();
        // The answer is there, and waits for the worker: who brings the request can ask again.
        if (error instanceof QueueError) throw error;
        const soften = keepsMoney ? sealedAfterPayment : undefined;
        const refusal = await sealRefusal({ parts, opened, isStream, error, soften });
        throw new SealedRefusalError({ answer: refusal, cause: error });
      }
    } catch (error) {
      making.reject(
        error instanceof ClientGoneError ? refusalFor(error, parts.logger) : (error as Error),
      );
      throw error;
    }
  };

/** The parts with which the request inside is answered, so that what is kept of its answer is sealed. */
class KeptSealed {
  readonly parts: GatewayParts;
  readonly #making: Making;
  readonly #isStream: boolean;
  #stored: StoredAnswer | undefined;
  #failure: Error | undefined;
  #isSent = false;

  constructor(parameters: {
    parts: GatewayParts;
    making: Making;
    opened: OpenedRequest;
    isStream: boolean;
    /** of the turn that the request has */
    leave: () => void;
  }) {
    const { isStream, leave, making, opened, parts } = parameters;
    const { answers, admission } = parts;
    const { running, waiting } = admission;
    this.#making = making;
    this.#isStream = isStream;
    this.parts = {
      ...parts,
      admission: { running, waiting, enter: async () => leave },
      answers: {
        enter: () => ({
          making: {
            resolve: (answer) => making.resolve(this.#stored ?? answer),
            reject: (error) => this.#fail(error),
          },
        }),
        handIn: async (given) => {
          this.#stored = await sealText({ opened, isStream, text: given.answer.text });
          await answers.handIn({ ...given, answer: this.#stored });
        },
      },
    };
  }

  /** The answer as it is kept, where it is there; undefined: it is a stream, whose head is sent now. */
  sent(): Response | undefined {
    this.#isSent = true;
    if (!this.#isStream && this.#stored !== undefined) return sentSealed(this.#stored);
    if (this.#failure !== undefined) this.#fail(this.#failure);
    return undefined;
  }

  /** Before the head is sent whoever has called says what is told. */
  #fail(error: Error): void {
    this.#failure = error;
    if (this.#isSent) this.#making.reject(error instanceof QueueError ? error : unanswered());
  }
}

/** Answers what was sealed; nothing of the outer request but its connection is looked at. */
const answerInside = ({
  opened,
  ...rest
}: {
  c: GatewayContext;
  parts: GatewayParts;
  opened: OpenedRequest;
  /** in place of an answer that costs nothing */
  answer?: (parameters: AnswerParameters) => Promise<Response>;
}): Promise<Response> =>
  answerBytes({
    ...{ ...rest, isLegacy: isLegacy(rest.parts), path: "chat/completions", bytes: opened.text },
    ...{ drops: DROPPED, forbid: forbidPayment, header: () => undefined },
  });

/** A refusal for the client alone. @throws ClientGoneError */
async function sealRefusal(parameters: {
  parts: GatewayParts;
  opened: OpenedRequest;
  isStream: boolean;
  error: unknown;
  soften?: ((refusal: RefusedRequestError) => RefusedRequestError) | undefined;
}): Promise<StoredAnswer> {
  const { error, isStream, opened, parts, soften = (refusal) => refusal } = parameters;
  if (error instanceof ClientGoneError) throw error;
  const found = refusalFor(error, parts.logger);
  const refusal = soften(found);
  // Who brings the request reads the metrics, too: what is wrong with it in itself is its client's alone.
  parts.metrics.failures.inc({ code: isOfRequest(found) ? SEALED_REFUSAL : found.code });
  const text = refusalText(refusal, isLegacy(parts));
  return await sealText({ opened, isStream, text: refusalInside(text, refusal.status, isStream) });
}

const isLegacy = ({ facilitator }: GatewayParts): boolean => facilitator !== undefined;

/** Whether the client waits for chunks, whatever else is wrong with its request. */
function asksForStream(text: Uint8Array): boolean {
  try {
    const json = JSON.parse(Buffer.from(text).toString("utf8")) as { stream?: unknown } | null;
    return json?.stream === true;
  } catch {
    return false;
  }
}

/** A payment names its payer, beside the prompt. @throws RefusedRequestError */
function forbidPayment(json: ReadonlyMap<string, unknown>): void {
  const headers = json.get("headers");
  const inner: unknown[] = headers instanceof Map ? [...headers.keys()] : [];
  const names = [...json.keys(), ...inner].map(String);
  const found = names.find((name) => PAYMENT.has(name.toLowerCase()));
  if (found === undefined) return;
  const reason = "who brings a sealed request pays: a payment inside would say whose it is";
  throw refused("ohttp.paidInside", found, reason);
}

/** What others are told who wait for an answer that did not come to its end. */
const unanswered = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 502, code: "ohttp.unanswered", message: "the sealed request has no whole answer" },
  });
