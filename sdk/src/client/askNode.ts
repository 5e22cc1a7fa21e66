import { BaseError } from "@haca/protocol/baseError";
import { send as sendToAnybody } from "#send";
import { oneLine } from "../strangersWords.ts";
import { urlAt } from "./nodeAddress.ts";
import { nodeError } from "./nodeError.ts";
import type { Send, Sent, Tls } from "./send.ts";

/** What a stranger gets of us at most. */
export type CallLimits = {
  /** of the answer's body */
  bytes: number;
  /** until the answer's last byte */
  ms: number;
};

/** A question to a node. */
export type NodeQuestion = {
  /** from `readNodeAddress` */
  node: URL;
  /** from the slash on, behind the address */
  path: string;
  /** makes it a POST */
  json?: string;
  headers?: Readonly<Record<string, string>>;
  limits: CallLimits;
  signal?: AbortSignal | undefined;
  /** over which connections; over any that an authority vouches for, if left out */
  send?: Send | undefined;
};

/**
 * Asks a node, which is a stranger: no redirections, no private addresses (in Node), bounded bytes and time. Gives the answer
 * when its head is here, whatever its status.
 * @throws BaseError `node.unreachable`, `node.privateAddress`, `node.redirect`, `node.timeout`, `node.otherCertificate`; while the
 *   body is read `node.brokenOff`, `node.tooLong`, `node.timeout`; the reason of `signal`, where that ends it
 */
export async function openNode(question: NodeQuestion): Promise<Sent> {
  const { headers = {}, json, limits, node, path, send = sendToAnybody, signal } = question;
  signal?.throwIfAborted();
  const late = AbortSignal.timeout(limits.ms);
  const ending = { late, signal, host: node.host };
  const unread = new AbortController();
  try {
    const sent = await send({
      ...{ url: urlAt(node, path), body: json, method: json === undefined ? "GET" : "POST" },
      headers: json === undefined ? headers : { ...headers, "content-type": "application/json" },
      signal: AbortSignal.any([late, unread.signal, ...(signal === undefined ? [] : [signal])]),
    });
    if (sent.status >= 300 && sent.status <= 399) {
      const refusal = nodeError(
        "redirect",
        `${node.host} answers with a redirection, which is not followed`,
      );
      // Nobody reads its body: this lets go of the connection.
      unread.abort(refusal);
      throw refusal;
    }
    return { ...sent, body: bounded(sent.body, limits.bytes, ending) };
  } catch (cause) {
    throw errorOf(cause, "unreachable", ending);
  }
}

/**
 * The certificate that a node shows. Nothing is sent to it.
 * @throws BaseError `node.noCertificate` by http; `node.unreachable`, `node.privateAddress`, `node.timeout`
 */
export async function certificateOf(
  question: Pick<NodeQuestion, "node" | "limits" | "signal"> & { tls: Tls },
): Promise<Uint8Array> {
  const { limits, node, signal, tls } = question;
  if (node.protocol !== "https:") {
    throw nodeError("noCertificate", `${node.host} is spoken to by http, and shows no certificate`);
  }
  const late = AbortSignal.timeout(limits.ms);
  try {
    const either = signal === undefined ? late : AbortSignal.any([signal, late]);
    return await tls.certificateOf(node, either);
  } catch (cause) {
    throw errorOf(cause, "unreachable", { late, signal, host: node.host });
  }
}

/** What a node answers, read to its end. */
export async function askNode(
  question: NodeQuestion,
): Promise<Omit<Sent, "body"> & { text: string }> {
  const { body, ...head } = await openNode(question);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return { ...head, text: text + decoder.decode() };
}

/**
 * What a node answers, parsed.
 * @throws BaseError as `openNode`; `node.refused`, `payment.required`, or `node.malformed`
 */
export async function askNodeJson(question: NodeQuestion): Promise<unknown> {
  const answer = await askNode(question);
  const host = question.node.host;
  if (answer.status !== 200) throw refusalOf(answer, host);
  return parsed(answer.text, host);
}

/** Nested lists and objects at most: more is an attack on whoever reads on. */
const MAXIMUM_DEPTH = 64;

/** @throws BaseError `node.malformed` */
export function parsed(text: string, host: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw nodeError("malformed", `${host} answers no JSON`);
  }
  if (isDeeper(value, MAXIMUM_DEPTH)) {
    throw nodeError("malformed", `${host} answers JSON that is nested too deep`);
  }
  return value;
}

const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (depth === 0 || Object.values(value).some((member) => isDeeper(member, depth - 1)));

/** An answer of another status than 200, as an error: `payment.required`, or `node.refused` with status and code. */
export function refusalOf(
  answer: { status: number; header: Sent["header"]; text: string },
  host: string,
): BaseError {
  const { code, message } = wordsOf(answer.text);
  const { status } = answer;
  const settled = answer.header("payment-response");
  const ofPayment = settled === undefined ? {} : { settled };
  if (status === 402) {
    const offers = offersIn(answer.header("payment-required"));
    const prices = offers.map(({ scheme, amount, asset, network }) =>
      oneLine(`${amount} of ${asset} on ${network} by ${scheme}`),
    );
    const what = prices.length === 0 ? "and does not say how much" : prices.join(", or ");
    return new BaseError({
      ...{
        code: "payment.required",
        details: { status, offers, ...ofPayment, header: answer.header("payment-required") },
      },
      message: `${host} wants to be paid, ${what}; nothing was paid`,
    });
  }
  return nodeError("refused", `${host} refused (${status}): ${message}`, {
    details: { status, code, ...ofPayment },
  });
}

/** What a node's refusal says, in OpenAI's form or any other. */
function wordsOf(text: string): { code: string | null; message: string } {
  let error: unknown;
  try {
    error = Reflect.get(JSON.parse(text), "error");
  } catch {
    // It has no words for us.
  }
  const field = (name: string): unknown =>
    typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  const [code, message] = [field("code"), field("message")];
  return {
    code: typeof code === "string" ? oneLine(code) : null,
    message: typeof message === "string" ? oneLine(message) : "without a word",
  };
}

/** An offer of x402. */
export type Offer = { scheme: string; network: string; amount: string; asset: string };

/** Offers in the header of x402, in base64; none where it has none that can be read. */
function offersIn(header: string | undefined): Offer[] {
  try {
    const accepts: unknown = Reflect.get(JSON.parse(atob(header ?? "")), "accepts");
    if (!Array.isArray(accepts)) return [];
    return accepts.map((offer) => {
      const text = (name: string): string => oneLine(String(Reflect.get(offer, name)));
      return {
        ...{ scheme: text("scheme"), network: text("network") },
        ...{ amount: text("amount"), asset: text("asset") },
      };
    });
  } catch {
    return [];
  }
}

type Ending = { late: AbortSignal; signal: AbortSignal | undefined; host: string };

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  bytes: number,
  ending: Ending,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  try {
    for await (const chunk of body) {
      left -= chunk.length;
      if (left < 0) throw nodeError("tooLong", `${ending.host} answers more than ${bytes} bytes`);
      yield chunk;
    }
  } catch (cause) {
    throw errorOf(cause, "brokenOff", ending);
  }
}

/** Why a call failed, in this order: the caller ended it, its time ran out, it said so itself. */
function errorOf(cause: unknown, code: "unreachable" | "brokenOff", ending: Ending): unknown {
  const { late, signal, host } = ending;
  if (signal?.aborted) return signal.reason;
  if (cause instanceof BaseError) return cause;
  if (late.aborted) return nodeError("timeout", `${host} takes too long`, { cause });
  const words =
    code === "unreachable" ? "does not answer" : "broke off in the middle of its answer";
  return nodeError(code, `${host} ${words}`, { cause });
}
