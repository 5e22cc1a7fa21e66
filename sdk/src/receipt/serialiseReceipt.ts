import type { Receipt } from "./receipt.ts";

/** The one text of a receipt: RFC 8785. Its values are texts, lists, objects and null, so that no number has to be written. */
export const serialiseReceipt = (receipt: Receipt): string => canonical(receipt);

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  // By UTF-16 code units, as RFC 8785 asks.
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}
