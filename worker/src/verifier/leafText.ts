const BIGINT = /^-?\d+n$/;

/** A leaf, or a part of one, as JSON with numbers beyond 2^53 as text that says so. */
export const encodeLeaf = (value: object): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));

/** What `encodeLeaf` wrote. */
export const decodeLeaf = <Value>(text: string): Value =>
  JSON.parse(text, (_, part: unknown) =>
    typeof part === "string" && BIGINT.test(part) ? BigInt(part.slice(0, -1)) : part,
  ) as Value;
