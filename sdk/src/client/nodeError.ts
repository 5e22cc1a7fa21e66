import { BaseError } from "@haca/protocol/baseError";

/** What a node did not answer as it should. */
export const nodeError = (
  code: string,
  message: string,
  rest: { details?: Record<string, unknown>; cause?: unknown } = {},
): BaseError => new BaseError({ code: `node.${code}`, message, ...rest });
