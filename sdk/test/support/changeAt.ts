/** A value of JSON with another value in one place. */
export function changeAt(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.with(Number(first), changeAt(value[Number(first)], rest, by));
  const object = value as Record<string, unknown>;
  return { ...object, [first]: changeAt(object[first], rest, by) };
}

export type Place = { path: readonly (string | number)[]; value: unknown };

/** Every value in a value of JSON, itself first. */
export function* placesIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): Generator<Place> {
  yield { path, value };
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    yield* placesIn(member, [...path, Array.isArray(value) ? Number(name) : name]);
  }
}
