import { BaseError } from "@haca/protocol/baseError";

/** Why nothing was signed. */
export const refusal = (
  code: string,
  message: string,
  details: Record<string, unknown> = {},
): BaseError =>
  new BaseError({ code: `payment.${code}`, message: `${message}; nothing was paid`, details });
