import { BaseError } from "@haca/protocol/baseError";

/** Why nothing was signed. */
export const refusal = (
  code: string,
  message: string,
  details: Record<string, unknown> = {},
): BaseError =>
  new BaseError({ code: `payment.${code}`, message: `${message}; nothing was paid`, details });

/** The journal, or whoever is told of payments, threw. */
export const notNoted = (cause: unknown): BaseError =>
  new BaseError({
    ...{ code: "payment.notNoted", cause },
    message: "the payment cannot be noted, or was not allowed; nothing was paid",
  });

/** Of a text in UTF-8. */
export function base64Of(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
