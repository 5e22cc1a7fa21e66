import { BaseError } from "./baseError.ts";
import { isObject, type Json, type JsonObject, NumberText } from "./json/json.ts";
import { legacyText } from "./json/legacyText.ts";

type Value = Json<NumberText>;
type Members = JsonObject<NumberText>;

/** Fields that are hashed as they were sent, where they say something. */
const IF_TRUTHY = { chat: ["stop", "tools", "response_format"], completion: ["stop"] } as const;
const ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;

/** A request that the legacy profile has no hash for. */
export class LegacyRequestError extends BaseError {
  constructor(field: string, reason: string) {
    super({ code: "legacy.request", message: `${field}: ${reason}` });
  }
}

/**
 * The text whose keccak256 is a request's hash, as the public network's clients compute it: of a few of its fields, with its
 * numbers in the class in which they were sent. Streams, sampling and tool choices are outside of it, and so are the bytes of
 * attachments.
 * @throws LegacyRequestError
 */
export const legacyRequestText = (request: Members, kind: "chat" | "completion"): string =>
  legacyText(legacyRequest(request, kind));

/** What of a request is hashed. */
function legacyRequest(request: Members, kind: "chat" | "completion"): Members {
  const hashed: Members = new Map();
  const model = request.get("model") ?? null;
  hashed.set("model", model);
  if (kind === "completion") hashed.set("prompt", request.get("prompt") ?? null);
  else hashed.set("messages", messagesOf(request.get("messages") ?? null));
  hashed.set("temperature", floatOf(request.get("temperature") ?? null));
  const maximum = request.get("max_tokens") ?? null;
  if (maximum !== null) hashed.set("max_tokens", maximum);
  for (const field of IF_TRUTHY[kind]) {
    const value = request.get(field) ?? null;
    if (isTruthy(value)) hashed.set(field, value);
  }
  if (kind === "chat" && isTruthy(request.get("web_search") ?? null)) {
    hashed.set("web_search", true);
  }
  return hashed;
}

/** The only number that is taken as a float, however it was sent. */
function floatOf(value: Value): NumberText {
  if (value === null) return new NumberText("0.0");
  if (!(value instanceof NumberText)) throw new LegacyRequestError("temperature", "is no number");
  if (/[.eE]/.test(value.text)) return value;
  // An integer's zero has no sign.
  return new NumberText(value.text === "-0" ? "0.0" : `${value.text}.0`);
}

function messagesOf(value: Value): Value {
  if (!Array.isArray(value)) throw new LegacyRequestError("messages", "is no list");
  return value.map((message, index) => {
    if (!isObject(message)) throw new LegacyRequestError(`messages.${index}`, "is no object");
    return messageOf(message, `messages.${index}`);
  });
}

function messageOf(message: Members, field: string): Members {
  const role = message.get("role");
  const known = ROLES.find((name) => name === role);
  const content = message.get("content") ?? null;
  const hashed = (entries: Record<string, Value>): Members => new Map(Object.entries(entries));
  switch (known) {
    case "system":
    case "developer":
      return hashed({ role: "system", content });
    case "user":
      return hashed({ role: known, content: userContent(content) });
    case "assistant": {
      const calls = legacyToolCalls(message.get("tool_calls") ?? null, field);
      const said = hashed({ role: known, content: isTruthy(content) ? content : "" });
      return calls.length === 0 ? said : said.set("tool_calls", calls);
    }
    case "tool":
      return hashed({ role: known, content, tool_call_id: message.get("tool_call_id") ?? null });
    case "function":
      return hashed({ role: known, content, name: message.get("name") ?? null });
    default:
      throw new LegacyRequestError(`${field}.role`, `must be one of ${ROLES.join(", ")}`);
  }
}

/** Text as it is; of a list each part, without the bytes of attachments. */
function userContent(content: Value): Value {
  if (!Array.isArray(content)) return content;
  return content.map((part) => {
    if (!isObject(part))
      return new Map<string, Value>([
        ["type", "text"],
        ["text", stringOf(part)],
      ]);
    const type = part.get("type") ?? null;
    if (type === "text") {
      const text = part.get("text") ?? null;
      return new Map<string, Value>([
        ["type", "text"],
        ["text", isTruthy(text) ? text : ""],
      ]);
    }
    const file = part.get("file");
    const inside = isObject(file) ? (file.get("filename") ?? null) : null;
    const filename = isTruthy(inside) ? inside : (part.get("filename") ?? null);
    const known = new Map<string, Value>([["type", type]]);
    return isTruthy(filename) ? known.set("filename", filename) : known;
  });
}

function stringOf(value: Value): string {
  if (typeof value === "string") return value;
  throw new LegacyRequestError("messages", "has a part that is neither object nor text");
}

/** Tool calls in the members that are hashed, of a request or of an answer. @throws LegacyRequestError */
export function legacyToolCalls(calls: Value, field: string): Members[] {
  if (calls === null) return [];
  if (!Array.isArray(calls)) throw new LegacyRequestError(`${field}.tool_calls`, "is no list");
  return calls.map((call) => {
    const own: Members = isObject(call) ? call : new Map();
    const given = own.get("function");
    const inner: Members = isObject(given) ? given : new Map();
    const called = new Map<string, Value>([
      ["name", inner.get("name") ?? ""],
      ["arguments", inner.get("arguments") ?? ""],
    ]);
    return new Map<string, Value>([
      ["id", own.get("id") ?? ""],
      ["type", own.get("type") ?? "function"],
      ["function", called],
    ]);
  });
}

function isTruthy(value: Value): boolean {
  if (value instanceof NumberText) return Number(value.text) !== 0;
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) ? value.size > 0 : Boolean(value);
}
