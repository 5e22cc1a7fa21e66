import { decodeRequestId } from "@haca/protocol/requestId";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Job } from "../jobs/job.ts";
import { readJob } from "../jobs/readJobs.ts";
import type { Database } from "../storage/database.ts";
import { RequestError } from "./requestError.ts";

/**
 * Refuses bodies above so many bytes. Hono's own limit makes a whole `Request` first, which takes a quarter of a millisecond and is
 * for nothing where a length is said.
 */
export function limitBody(maximum: number): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: maximum,
    onError: () => {
      throw new RequestError({
        status: 413,
        code: "body.tooLarge",
        field: "body",
        message: `body: must not be larger than ${maximum} bytes`,
      });
    },
  });
  return async (c, next) => {
    const length = c.req.header("content-length");
    const isSaid = length !== undefined && c.req.header("transfer-encoding") === undefined;
    if (isSaid && Number(length) <= maximum) return await next();
    return await limit(c, next);
  };
}

/** @throws RequestError */
export function requireJson(c: Context): void {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return;
  throw new RequestError({
    status: 415,
    code: "body.wrongType",
    field: "content-type",
    message: `content-type: must be application/json, got ${type ?? "none"}`,
  });
}

/** The job of a path's request id. @throws RequestError where that is none, or of no job */
export async function requireJob(parameters: { database: Database; text: string }): Promise<Job> {
  const { database, text } = parameters;
  const requestId = text.toLowerCase();
  requireRequestId(requestId);
  const job = await readJob({ database, requestId });
  if (job !== undefined) return job;
  throw new RequestError({
    status: 404,
    code: "request.unknown",
    field: "requestId",
    message: `requestId: this node has no request ${requestId}`,
  });
}

function requireRequestId(requestId: string): void {
  try {
    decodeRequestId(requestId);
  } catch (cause) {
    throw new RequestError({
      status: 400,
      code: "request.malformedId",
      field: "requestId",
      message: "requestId: must be 0x and 64 hex digits",
      cause,
    });
  }
}

/** Says what a path takes to whoever asks it for something else. */
export function refuseOtherMethods(app: Hono, path: string, allowed: string): void {
  app.all(path, (c) => {
    c.header("allow", allowed);
    return refuse(c, {
      status: 405,
      code: "method.notAllowed",
      field: null,
      message: `${c.req.path} takes ${allowed}, not ${c.req.method}`,
    });
  });
}

export function refuse(
  c: Context,
  error: Pick<RequestError, "status" | "code" | "field" | "message">,
): Response {
  const { code, field, message, status } = error;
  return c.json({ error: { code, field, message } }, status);
}
