/** Places of an ethers error where the endpoint's own words are, the most certain first. */
const PLACES: readonly (readonly string[])[] = [
  ["error", "message"],
  ["info", "error", "message"],
  ["info", "info", "error", "message"],
  ["info", "responseBody"],
  ["info", "responseStatus"],
];

/** What the endpoint said, word for word; undefined where it said nothing. */
export function endpointWords(error: unknown): string | undefined {
  for (const place of PLACES) {
    const found = at(error, place);
    if (typeof found === "string" && found !== "") return found;
  }
  return undefined;
}

/** Whether the endpoint answered a request, with an error; false where it did not answer, or not in JSON-RPC. */
export function isAnswered(error: unknown): boolean {
  return PLACES.slice(0, 3).some((place) => typeof at(error, place) === "string");
}

function at(value: unknown, place: readonly string[]): unknown {
  return place.reduce<unknown>(
    (found, name) =>
      typeof found === "object" && found !== null
        ? (found as Record<string, unknown>)[name]
        : undefined,
    value,
  );
}
