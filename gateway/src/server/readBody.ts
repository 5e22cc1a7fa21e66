import type { IncomingMessage } from "node:http";
import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";

/**
 * The body of a request, of which no more is read than the limit.
 * @throws RefusedRequestError where it is larger, ClientGoneError where it does not come to its end
 */
export async function readBody(incoming: IncomingMessage, maximum: number): Promise<Uint8Array> {
  if (Number(incoming.headers["content-length"] ?? 0) > maximum) throw tooLarge(maximum);
  const parts: Uint8Array[] = [];
  let left = maximum;
  try {
    // The connection is needed for the answer, whatever becomes of the body.
    for await (const part of incoming.iterator({ destroyOnReturn: false })) {
      left -= part.length;
      if (left < 0) break;
      parts.push(part);
    }
  } catch {
    throw new ClientGoneError();
  }
  if (left < 0) throw tooLarge(maximum);
  return Buffer.concat(parts);
}

const tooLarge = (maximum: number): RefusedRequestError => {
  const message = `body: must have at most ${maximum} bytes`;
  return new RefusedRequestError({ status: 413, code: "body.tooLarge", field: "body", message });
};
