import type { RefusedRequestError } from "../gatewayError.ts";
import { parseLegacyRequest, SETTLEMENT_HEADER } from "../legacy/parseLegacyRequest.ts";
import { type AnswerParameters, answerRequest, type GatewayContext } from "./answerRequest.ts";
import { type ChatRequest, parseChatRequest } from "./chatRequest.ts";
import { errorText, legacyErrorText } from "./errorViews.ts";
import type { GatewayParts } from "./gatewayParts.ts";

/** Whether a request is one of the public network's clients, and is answered in their profile. */
export const asksForLegacy = (parts: GatewayParts, c: GatewayContext): boolean =>
  parts.facilitator !== undefined && c.req.header(SETTLEMENT_HEADER) !== undefined;

/** A refusal in the form that the clients of a profile read. */
export const refusalText = (error: RefusedRequestError, isLegacy: boolean): string =>
  isLegacy ? legacyErrorText(error) : errorText(error);

/** Answers the body of a request in one of the profiles. @throws RefusedRequestError, ClientGoneError */
export async function answerBytes(parameters: {
  parts: GatewayParts;
  c: GatewayContext;
  path: ChatRequest["path"];
  bytes: Uint8Array;
  header: (name: string) => string | undefined;
  isLegacy: boolean;
  /** members that are taken out, unread */
  drops?: readonly string[];
  /** throws where something stands in the body that must not */
  forbid?: (json: ReadonlyMap<string, unknown>) => void;
  /** in place of an answer that costs nothing */
  answer?: (parameters: AnswerParameters) => Promise<Response>;
}): Promise<Response> {
  const { answer = answerRequest, c, isLegacy, parts, ...given } = parameters;
  const { models, signsBoth } = parts;
  const request = isLegacy
    ? parseLegacyRequest({ ...given, models, signsBoth })
    : parseChatRequest({ ...given, models });
  return await answer({ parts, request, c });
}
