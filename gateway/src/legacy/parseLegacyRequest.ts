import { id } from "ethers";
import { RefusedRequestError } from "../gatewayError.ts";
import { isObject, NumberText } from "../json/json.ts";
import { MalformedJsonError, readLegacyJson } from "../json/readJson.ts";
import { LegacyRequestError, legacyRequestText } from "../profile/legacyRequest.ts";
import type { ChatRequest, LegacyTerms } from "../server/chatRequest.ts";
import { legacyJson } from "./legacyJson.ts";

/** A request that is answered in the profile `legacy`. */
export type LegacyRequest = ChatRequest & { legacy: LegacyTerms };

export const isLegacy = (request: ChatRequest): request is LegacyRequest =>
  request.legacy !== undefined;

/** Header by which a client of the public network says what is to become of an answer, and that it is one. */
export const SETTLEMENT_HEADER = "x-settlement-type";

/** @throws RefusedRequestError naming the field */
export function parseLegacyRequest(parameters: {
  path: ChatRequest["path"];
  bytes: Uint8Array;
  header: (name: string) => string | undefined;
  models: ReadonlyMap<string, string>;
  /** members that are taken out, unread */
  drops?: readonly string[];
}): LegacyRequest {
  const { bytes, drops = [], header, models, path } = parameters;
  const json = readBody(bytes);
  if (!isObject(json)) throw refused("body.malformed", "body", "must be an object");
  for (const name of drops) json.delete(name);
  const model = json.get("model");
  if (typeof model !== "string") throw refused("model.malformed", "model", "must be a text");
  const modelVersion = models.get(model);
  if (modelVersion === undefined) {
    throw refused("model.unknown", "model", "is none of those that GET /v1/models names");
  }
  const stream = json.get("stream") ?? false;
  if (typeof stream !== "boolean") throw refused("stream.malformed", "stream", "must be a boolean");
  const n = json.get("n") ?? null;
  if (n !== null && !(n instanceof NumberText && Number(n.text) === 1)) {
    throw refused("n.unsupported", "n", "must be 1: the profile signs one choice");
  }
  if (header("idempotency-key") !== undefined) {
    const reason = "is not taken in the profile legacy";
    throw refused("idempotency.unsupported", "idempotency-key", reason);
  }
  const legacy = { model, settlement: settlementOf(header(SETTLEMENT_HEADER)) };
  const kind = path === "chat/completions" ? "chat" : "completion";
  return {
    ...{ path, isStream: stream, model, modelVersion, salt: "", isSalted: false },
    ...{ repeat: undefined, legacy },
    body: new TextEncoder().encode(legacyJson(json)),
    inputHash: hashOf(() => legacyRequestText(json, kind)),
  };
}

function settlementOf(type = "batch"): LegacyTerms["settlement"] {
  const name = type.toLowerCase();
  if (name === "batch" || name === "private") return name;
  const reason =
    name === "individual"
      ? "individual is not offered, because it puts prompt and answer where everybody reads them: batch or private"
      : "must be batch or private";
  throw refused("settlement.unsupported", SETTLEMENT_HEADER, reason);
}

function hashOf(text: () => string): string {
  try {
    return id(text());
  } catch (error) {
    if (!(error instanceof LegacyRequestError)) throw error;
    const [field = "body"] = error.message.split(":");
    throw new RefusedRequestError({
      ...{ status: 400, code: "request.unsupported", field, message: error.message },
    });
  }
}

function readBody(bytes: Uint8Array) {
  try {
    return readLegacyJson(bytes);
  } catch (error) {
    if (error instanceof MalformedJsonError) throw refused("body.malformed", "body", error.message);
    throw error;
  }
}

const refused = (code: string, field: string, reason: string): RefusedRequestError =>
  new RefusedRequestError({ status: 400, code, field, message: `${field}: ${reason}` });
