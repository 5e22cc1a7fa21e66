/** What a JSON text says. Objects are maps: a key such as `__proto__` is a key like any other. */
type Json = null | boolean | number | string | Json[] | JsonObject;
type JsonObject = Map<string, Json>;

const isObject = (value: Json | undefined): value is JsonObject => value instanceof Map;

/** Members of a delta that name something, and are not continued by the next. */
const NAMES: ReadonlySet<string> = new Set(["role", "id", "type", "name"]);
/** Parallel tool calls, and whatever else has an index, at most. */
const MAXIMUM_INDEX = 128;

/**
 * What a piece of an answer adds to those before it, as everybody who puts a stream together does it: text goes on, null
 * adds nothing, lists go on by their entries' `index` where these have one, and objects member by member.
 */
export function mergeDelta(before: JsonObject, piece: JsonObject): void {
  for (const [key, value] of piece) before.set(key, merged(key, before.get(key), value));
}

function merged(key: string, before: Json | undefined, piece: Json): Json {
  if (piece === null) return before ?? null;
  if (Array.isArray(piece)) {
    const list = Array.isArray(before) ? before : [];
    for (const entry of piece) addEntry(list, entry);
    return list;
  }
  if (isObject(piece)) {
    const object: JsonObject = isObject(before) ? before : new Map();
    mergeDelta(object, piece);
    return object;
  }
  return typeof piece === "string" && typeof before === "string" && !NAMES.has(key)
    ? before + piece
    : piece;
}

/** Entries of lists by their `index`: a stream may have so many that nobody should look through them each time. */
const indexed = new WeakMap<Json[], Map<number, JsonObject>>();

function addEntry(list: Json[], entry: Json): void {
  const index = isObject(entry) ? entry.get("index") : undefined;
  const isIndexed = typeof index === "number" && index < MAXIMUM_INDEX;
  const known = indexed.get(list);
  const before = isIndexed ? known?.get(index) : undefined;
  if (before !== undefined && isObject(entry)) {
    mergeDelta(before, entry);
    return;
  }
  const added = isObject(entry) ? copy(entry) : entry;
  list.push(added);
  if (isIndexed && isObject(added)) indexed.set(list, (known ?? new Map()).set(index, added));
}

function copy(object: JsonObject): JsonObject {
  const fresh: JsonObject = new Map();
  mergeDelta(fresh, object);
  return fresh;
}

/** Tool calls in the order of their `index`, without it: as they stand in an answer that is no stream. */
export function finishMessage(message: JsonObject): void {
  const calls = message.get("tool_calls");
  if (!Array.isArray(calls)) return;
  const indexOf = (call: Json) => (isObject(call) ? Number(call.get("index") ?? 0) : 0);
  calls.sort((a, b) => indexOf(a) - indexOf(b));
  for (const call of calls) if (isObject(call)) call.delete("index");
}
