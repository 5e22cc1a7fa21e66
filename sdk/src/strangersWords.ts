/** What others say or are called, as part of a line of ours. */

/** Where an address leads, without keys that are in its path. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "an address that is none";
}

/** A stranger's words: printable, and not many. */
export const oneLine = (words: string): string =>
  words.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 200);
