/** Pages of every site. */
export const EVERY_ORIGIN = "*";

/**
 * The sites whose pages may read answers, of a setting: origins such as `https://app.example`, separated by commas, or `*` for
 * every one. Undefined where an entry is neither.
 */
export function readWebOrigins(text: string): readonly string[] | undefined {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const isOrigin = (entry: string): boolean =>
    /^https?:\/\//.test(entry) && URL.parse(entry)?.origin === entry;
  if (entries.length === 1 && entries[0] === EVERY_ORIGIN) return entries;
  return entries.length > 0 && entries.every(isOrigin) ? entries : undefined;
}

export const WEB_ORIGINS_REASON =
  "must be origins such as https://app.example, separated by commas, or *";

/** Headers of requests to language models that pages may send, and those of answers that they may read (CORS). */
export const CHAT_HEADERS = {
  asked: ["content-type", "haca-salt", "idempotency-key", "payment-signature"],
  read: [
    ...["haca-salt", "idempotent-replayed", "payment-required", "payment-response", "retry-after"],
  ],
} as const;
