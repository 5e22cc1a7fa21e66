import { isObject, type Json, type JsonObject } from "@haca/protocol/json/json";
import { MalformedJsonError } from "@haca/protocol/json/readJson";
import { RefusedRequestError } from "../gatewayError.ts";

/** A request's body, and what every profile reads of it. */
export type RequestBody<Number> = {
  json: JsonObject<Number>;
  /** the name under which the client asks for it */
  model: string;
  modelVersion: string;
  isStream: boolean;
};

/** @throws RefusedRequestError naming the field */
export function readRequestBody<Number>(parameters: {
  bytes: Uint8Array;
  /** a profile's reader of JSON */
  read: (bytes: Uint8Array) => Json<Number>;
  models: ReadonlyMap<string, string>;
  /** members that are taken out, unread */
  drops?: readonly string[] | undefined;
  /** throws where something stands in it that must not */
  forbid?: ((json: ReadonlyMap<string, unknown>) => void) | undefined;
}): RequestBody<Number> {
  const { drops = [], forbid, models } = parameters;
  const json = readJson(parameters);
  if (!isObject(json)) throw refused("body.malformed", "body", "must be an object");
  forbid?.(json);
  for (const name of drops) json.delete(name);
  const model = json.get("model");
  if (typeof model !== "string") throw refused("model.malformed", "model", "must be a text");
  const modelVersion = models.get(model);
  if (modelVersion === undefined) {
    throw refused("model.unknown", "model", "is none of those that GET /v1/models names");
  }
  const isStream = json.get("stream") ?? false;
  if (typeof isStream !== "boolean") {
    throw refused("stream.malformed", "stream", "must be a boolean");
  }
  return { json, model, modelVersion, isStream };
}

function readJson<Number>(parameters: {
  bytes: Uint8Array;
  read: (bytes: Uint8Array) => Json<Number>;
}): Json<Number> {
  try {
    return parameters.read(parameters.bytes);
  } catch (error) {
    if (error instanceof MalformedJsonError) throw refused("body.malformed", "body", error.message);
    throw error;
  }
}

/** A request whose field cannot be answered for the reason. */
export const refused = (code: string, field: string, reason: string): RefusedRequestError =>
  new RefusedRequestError({ status: 400, code, field, message: `${field}: ${reason}` });
