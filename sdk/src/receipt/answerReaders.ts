import { malformed, type Reader, text } from "./readers.ts";
import { LIMITS, type ReceiptMessage } from "./receipt.ts";

/** What nodes answer, as far as receipts need it: fields that are not needed are passed over. */

const MESSAGE_FIELDS: readonly (keyof ReceiptMessage)[] = [
  ...(["modelVersion", "inputHash", "outputHash", "requester"] as const),
  ...(["requestId", "price", "timestamp", "teeId"] as const),
];

export const readText: Reader<string> = text(LIMITS.text);

/** Bytes as nodes write them, addresses with their checksums. */
export const lowerCase: Reader<string> = (value, path) => readText(value, path).toLowerCase();

export function fieldsOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw malformed(path, "must be an object");
}

/** The typed message, whose fields are looked at when the receipt is made. */
export function messageOf(value: unknown, path: string): ReceiptMessage {
  const fields = fieldsOf(value, path);
  return Object.fromEntries(
    MESSAGE_FIELDS.map((name) => [name, lowerCase(fields[name], `${path}.${name}`)]),
  ) as ReceiptMessage;
}
