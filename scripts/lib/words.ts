import { formatUnits } from "ethers";

/** Values for a person. */

/** Text from a chain, for a terminal: nothing in it can move the cursor, begin a line or hide characters. */
export const printable = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");

/** First line of whatever was thrown, without Hardhat's advertisement of its documentation. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

/** A time, from unix seconds; the seconds themselves where no calendar reaches. */
export function isoTime(unixSeconds: bigint | number): string {
  const date = new Date(Number(unixSeconds) * 1000);
  return Number.isNaN(date.getTime())
    ? `${unixSeconds} s`
    : date.toISOString().replace(".000Z", "Z");
}

const UNITS: readonly [seconds: number, name: string][] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** Seconds in words: `604800` is `7 days`, `5400` is `1 hour 30 minutes`. */
export function duration(seconds: bigint | number): string {
  let rest = Number(seconds);
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
  }
  return parts.join(" ") || "0 seconds";
}

/** An amount of OPG, from its smallest unit. */
export const opg = (amount: bigint | string): string => `${formatUnits(amount, 18)} OPG`;

/** `7,740,779` */
export const grouped = (number: bigint | number): string => number.toLocaleString("en");

const COLUMNS = 80;

/** A text in lines of a terminal, each behind the same space; a word that is longer than a line stays whole. */
export function folded(text: string, indent: string): string {
  const line = new RegExp(`.{1,${COLUMNS - indent.length}}(?= |$)|[^ ]+`, "g");
  return (text.match(line) ?? []).map((part) => indent + part.trim()).join("\n");
}
