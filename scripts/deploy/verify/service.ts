import { BaseError } from "@haca/protocol/baseError";
import type { Subject } from "./collect.ts";

/** What a service says about one contract. */
export type Answer = { isVerified: boolean; words: string };

/** A place that publishes verified sources. */
export type Service = {
  name: string;
  /** whether a contract's sources are there already */
  look: (subject: Subject) => Promise<Answer>;
  /** hands the sources in; the receipt is what `follow` asks about, undefined where they were there already */
  submit: (subject: Subject) => Promise<string | undefined>;
  /** undefined while the service is still at work */
  follow: (receipt: string, subject: Subject) => Promise<Answer | undefined>;
};

const TIMEOUT_MS = 60_000;

/**
 * One HTTP request that is answered with JSON. Errors, each naming the service: `verify.noService`,
 * `verify.badAnswer`.
 */
export async function requestJson(parameters: {
  service: string;
  url: string;
  body?: unknown;
  form?: URLSearchParams;
}): Promise<{ status: number; json: Record<string, unknown> }> {
  const { service, url, body, form } = parameters;
  const host = hostOf(url);
  let response: Response;
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined && form === undefined ? {} : { method: "POST" }),
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      ...(form === undefined ? {} : { body: form }),
    });
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new BaseError({
      code: "verify.noService",
      message: `${service} (${host}) does not answer: ${reason instanceof Error ? reason.message : reason}`,
      cause,
    });
  }
  const text = await response.text();
  try {
    return { status: response.status, json: JSON.parse(text) as Record<string, unknown> };
  } catch (cause) {
    throw new BaseError({
      code: "verify.badAnswer",
      message: `${service} (${host}) answers with status ${response.status} and no JSON: ${excerpt(text)}`,
      cause,
    });
  }
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch (cause) {
    throw new BaseError({ code: "verify.badOption", message: `--url is no URL: ${url}`, cause });
  }
}

const LONGEST_EXCERPT = 160;
export const excerpt = (text: unknown): string =>
  String(text)
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, LONGEST_EXCERPT);

/** `project/contracts/token/OPG.sol:OPG` */
export const identifierOf = ({ contract }: Subject): string =>
  `${contract.sourceName}:${contract.name}`;
