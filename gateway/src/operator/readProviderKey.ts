import { isObject, type Json } from "@haca/protocol/json/json";
import { MalformedJsonError, readStrictJson } from "@haca/protocol/json/readJson";
import { RefusedRequestError } from "../gatewayError.ts";

const PROVIDERS = [
  "openai",
  "anthropic",
  "google",
  "xai",
  "bytedance",
  "openrouter",
  "zai",
] as const;
const NAMES: ReadonlyMap<string, string> = new Map(
  PROVIDERS.map((provider) => [`${provider}_api_key`, provider]),
);
const KEY = /^[\x21-\x7e]{1,1024}$/;

/**
 * The upstream's key under the name of its provider, as the public network's operators send it. A gateway has one upstream.
 * Nothing of a key is in what is thrown.
 * @throws RefusedRequestError naming the field
 */
export function readProviderKey(text: string): { provider: string; key: string } {
  const body = parse(text);
  if (!isObject(body)) throw refused("body", "must be an object");
  const given = [...body];
  for (const [name] of given) {
    if (!NAMES.has(name)) throw refused("body", `may have one of ${[...NAMES.keys()].join(", ")}`);
  }
  const [first, ...more] = given;
  if (first === undefined || more.length > 0) {
    throw refused("body", "must have one key: a gateway has one upstream");
  }
  const [name, key] = first;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw refused(name, "must be 1 to 1024 printable characters, without spaces");
  }
  return { provider: NAMES.get(name) ?? name, key };
}

function parse(text: string): Json {
  try {
    return readStrictJson(new TextEncoder().encode(text));
  } catch (error) {
    if (error instanceof MalformedJsonError) throw refused("body", error.message);
    throw error;
  }
}

const refused = (field: string, reason: string): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "body.malformed", field, message: `${field}: ${reason}` },
  });
