import { BaseError } from "@haca/protocol/baseError";
import { whatIsMissing } from "../../isVerified.ts";
import type { Line } from "../../line.ts";
import type { Receipt, ReceiptCore } from "../../receipt/receipt.ts";
import { receiptOfAnswer } from "../../receipt/receiptOfAnswer.ts";
import { verify } from "../../verify.ts";
import { askNode, openNode, parsed, refusalOf } from "../askNode.ts";
import { askNodes } from "../askNodes.ts";
import type { Client } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { askEnclave } from "./askEnclave.ts";
import { type ChatOptions, type ChatRequest, readChat } from "./chatOptions.ts";
import { answerOf, type ChatChunk, type ChatReply, chunksOf } from "./chatReply.ts";
import { readStream } from "./streamedAnswer.ts";

/** How far a node's clock may be behind ours, in seconds. */
const MAXIMUM_CLOCK_SKEW = 60;
const NOBODY = `0x${"00".repeat(20)}`;
const CHAT_PATH = "/v1/chat/completions";

/**
 * Asks a language model, and verifies its answer: with a receipt of it and the enclave's document, asked for now, by the one
 * verifier. Unpaid: a node that wants money is an error, `payment.required`.
 * @throws BaseError `answer.notVerified`, with lines and what is missing; `answer.unexpected`, for what was signed and not asked;
 *   `node.*`, `payment.required`, `format.malformed`, `option.wrong`
 */
export const chat = async (client: Client, options: ChatOptions): Promise<ChatReply> =>
  ask(client, options, { isStream: false });

/**
 * The same as a stream: the node streams, and the frames are given on once the whole answer is verified. Unverified text reaches
 * nobody.
 */
export async function* streamChat(
  client: Client,
  options: ChatOptions,
): AsyncGenerator<ChatChunk, ChatReply> {
  const reply = await ask(client, options, { isStream: true });
  yield* chunksOf(reply.answer);
  return reply;
}

/** The whole answer, whichever way the node sends it. */
async function ask(
  client: Client,
  options: ChatOptions,
  { isStream }: { isStream: boolean },
): Promise<ChatReply> {
  const request = readChat(client, options, isStream);
  return await askNodes({
    ...{ client, answers: "chat", nodes: options.nodes, policy: request.policy, maxPrice: 0n },
    signal: request.signal,
    ask: (node) => (request.isUnverified ? askUnverified : askVerified)(client, node, request),
  });
}

async function askUnverified(client: Client, node: URL, request: ChatRequest): Promise<ChatReply> {
  const created = Math.floor(Date.now() / 1000);
  const fields = fieldsOf(await askAnswer(client, node, request), node.host);
  const answer = answerOf(fields, { id: "chatcmpl-unverified", created, host: node.host });
  return {
    ...{ verification: "off", answer, text: textOf(answer), receipt: null, lines: [] },
    node: node.host,
  };
}

async function askVerified(client: Client, node: URL, request: ChatRequest): Promise<ChatReply> {
  const askedAt = Math.floor(Date.now() / 1000);
  const { answer, enclave } = await askBoth(client, node, request);
  const receipt = receiptOfAnswer({ request: request.body, answer, ...enclave });
  const { pins, rpcs } = client;
  const lines = await verify(receipt, { pins, rpcs, model: request.model });
  requireVerified(lines, request, node.host);
  requireAsAsked(receipt.core, request, { askedAt, host: node.host });
  const shown = answerOf(signedFields(receipt), {
    id: `chatcmpl-${receipt.core.message.requestId}`,
    created: Number(receipt.core.message.timestamp),
    host: node.host,
  });
  return {
    ...{ verification: "verified", answer: shown, text: textOf(shown), receipt, lines },
    node: node.host,
  };
}

/** Answer and enclave at once; where one fails, the other is let go of. */
async function askBoth(client: Client, node: URL, request: ChatRequest) {
  const failed = new AbortController();
  const { signal } = request;
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const wantsDocument = request.policy.attestation !== "registry";
  try {
    const [answer, enclave] = await Promise.all([
      askAnswer(client, node, { ...request, signal: both }),
      askEnclave({ client, node, wantsDocument, signal: both }),
    ]);
    return { answer, enclave };
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

async function askAnswer(client: Client, node: URL, request: ChatRequest): Promise<unknown> {
  const { idempotencyKey, isStream, salt, signal, text } = request;
  const { host } = node;
  const question = {
    ...{ node, path: CHAT_PATH, json: text, signal },
    headers: {
      ...{ accept: isStream ? "text/event-stream" : "application/json", "haca-salt": salt },
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    },
    limits: { bytes: client.limits.answerBytes, ms: client.limits.answerMs },
  };
  const isEvents = (type = ""): boolean => /^text\/event-stream\s*(;|$)/i.test(type);
  if (!isStream) {
    const answer = await askNode(question);
    if (answer.status !== 200) throw refusalOf(answer, host);
    return parsed(answer.text, host);
  }
  const { body, ...head } = await openNode(question);
  if (head.status === 200 && isEvents(head.header("content-type"))) return readStream(body, host);
  const decoder = new TextDecoder();
  let words = "";
  for await (const chunk of body) words += decoder.decode(chunk, { stream: true });
  if (head.status !== 200) throw refusalOf({ ...head, text: words }, host);
  throw nodeError("malformed", `${host} does not answer with a stream`);
}

function requireVerified(lines: readonly Line[], { policy }: ChatRequest, host: string): void {
  const missing = whatIsMissing(lines, policy);
  const [first] = missing;
  if (first === undefined) return;
  const said = lines.find(({ check, status }) => check === first && status !== "asserted");
  throw new BaseError({
    code: "answer.notVerified",
    message: `the answer of ${host} is not verified, for: ${missing.join(", ")} (${said?.detail ?? "nothing says so"})`,
    details: { missing, lines },
  });
}

/** What an enclave signed, and nobody asked for. */
function requireAsAsked(
  { input, message }: ReceiptCore,
  { isFresh, salt }: ChatRequest,
  { askedAt, host }: { askedAt: number; host: string },
): void {
  const wrong = (field: string, what: string): BaseError =>
    new BaseError({
      ...{ code: "answer.unexpected", details: { field } },
      message: `${host} ${what}`,
    });
  if (input?.type !== "text" || input.salt !== salt) {
    throw wrong("salt", "answers with another salt than the one that was sent");
  }
  if (message.requester !== NOBODY) throw wrong("requester", "answers for somebody who pays");
  if (message.price !== "0") throw wrong("price", `charges ${message.price} for the answer`);
  if (isFresh && Number(message.timestamp) < askedAt - MAXIMUM_CLOCK_SKEW) {
    throw wrong("timestamp", "dates its answer before the question");
  }
}

/** What of an answer was signed: from the receipt, whose hash of it was checked. */
function signedFields({ core }: Receipt): Readonly<Record<string, unknown>> {
  return JSON.parse(core.output?.type === "text" ? core.output.text : "{}");
}

function fieldsOf(value: unknown, host: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw nodeError("malformed", `${host} answers something that is no answer to a chat`);
}

const textOf = ({ choices }: ChatReply["answer"]): string => {
  const content = choices[0]?.message.content;
  return typeof content === "string" ? content : "";
};
