/** Longest hex that is shown: an address, a hash, a request id. What is longer is calldata, a signature or a transaction. */
const LONG_HEX = /0x[0-9a-fA-F]{67,}/g;
const URLS = /\b([a-z][a-z0-9+.-]*):\/\/[^\s"'<>`)\]}]+/gi;

/**
 * A text without what must not leave the process: of an address on the net nothing but scheme, host and port, since
 * user, path and query of an endpoint are often its key; of long hex, such as a signed transaction, its length.
 */
export function redact(text: string): string {
  return text
    .replaceAll(URLS, (url, scheme: string) => {
      const host = URL.canParse(url) ? new URL(url).host : "";
      return `${scheme}://${host === "" ? "…" : host}`;
    })
    .replaceAll(LONG_HEX, (hex) => `0x…(${Math.floor((hex.length - 2) / 2)} bytes)`);
}
