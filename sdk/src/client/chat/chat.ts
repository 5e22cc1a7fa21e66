import { BaseError } from "@haca/protocol/baseError";
import { whatIsMissing } from "../../isVerified.ts";
import type { Line } from "../../line.ts";
import type { Receipt, ReceiptCore } from "../../receipt/receipt.ts";
import { receiptOfAnswer } from "../../receipt/receiptOfAnswer.ts";
import { verify } from "../../verify.ts";
import { askNode, type NodeQuestion, openNode, parsed, refusalOf } from "../askNode.ts";
import { askNodes, isMisbehaviour } from "../askNodes.ts";
import type { Client, EnclaveWords } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { openOblivious } from "../oblivious/openOblivious.ts";
import { loadSealing } from "../oblivious/sendSealed.ts";
import type { Paid, Payment } from "../payer.ts";
import type { Send, Sent } from "../send.ts";
import { blockHashesOf, withWitness } from "../takeWitness.ts";
import { askEnclave, requireEnclave } from "./askEnclave.ts";
import { type Answered, askPaid, hashOfRequest, hintsOf, withPayment } from "./askPaid.ts";
import { type ChatOptions, type ChatRequest, readChat } from "./chatOptions.ts";
import { answerOf, type ChatChunk, type ChatReply, chunksOf } from "./chatReply.ts";
import { type Channel, openChannel } from "./openChannel.ts";
import { releasedFrames } from "./releasedFrames.ts";
import { readStream } from "./streamedAnswer.ts";

/** How far a node's clock may be behind ours, in seconds. */
const MAXIMUM_CLOCK_SKEW = 60;
const NOBODY = `0x${"00".repeat(20)}`;
const CHAT_PATH = "/v1/chat/completions";

/**
 * Asks a language model, and verifies its answer: with a receipt of it and the enclave's document, asked for now, by the one
 * verifier. A node that wants money is paid by the client's payer, once; without one that is an error, `payment.required`.
 * @throws BaseError `answer.notVerified`, with lines and what is missing; `answer.unexpected`, for what was signed and not asked;
 *   `node.*`, `payment.*`, `format.malformed`, `option.wrong`
 */
export const chat = async (client: Client, options: ChatOptions): Promise<ChatReply> =>
  askOne(client, options, readChat(client, options, false));

/**
 * The same as a stream: the node streams, and the frames are given on once the whole answer is verified. With `release: "channel"`
 * texts are as they come, over an attested channel; where the end does not confirm them this throws.
 */
export async function* streamChat(
  client: Client,
  options: ChatOptions,
): AsyncGenerator<ChatChunk, ChatReply> {
  const request = readChat(client, options, true);
  if (request.release === "channel") return yield* release(client, options, request);
  const reply = await askOne(client, options, request);
  yield* chunksOf(reply.answer);
  return reply;
}

/** The whole answer, whichever way the node sends it. */
const askOne = (client: Client, options: ChatOptions, request: ChatRequest): Promise<ChatReply> =>
  askEach(client, options, request, request.isUnverified ? askUnverified : askVerified);

async function askEach<Answer>(
  client: Client,
  options: ChatOptions,
  request: ChatRequest,
  ask: (question: Question) => Promise<Answer>,
): Promise<Answer> {
  const { salt } = request;
  // Before anybody is asked for anything: without it no node could be.
  if (request.isOblivious) await loadSealing();
  const before = await client.payer?.recall({ salt, requestHash: hashOfRequest(request) });
  const answer = askNodes({
    ...{ client, answers: "chat", policy: request.policy, signal: request.signal },
    maxPrice: client.payer === undefined ? 0n : client.payer.maxPerCall,
    // Whoever was paid is asked, and nobody else.
    nodes: before === undefined ? options.nodes : [before.node],
    ask: (node, teeId) => ask({ client, node, teeId, request, before }),
  });
  // A channel is not kept from others where its payment was not even brought.
  return await answer.finally(() => before?.end?.(undefined));
}

/** Once a stream's head is here no other node is asked: what it says may be given on. */
async function* release(
  client: Client,
  options: ChatOptions,
  request: ChatRequest,
): AsyncGenerator<ChatChunk, ChatReply> {
  const asked = await askEach(client, options, request, async (question) => {
    const askedAt = Math.floor(Date.now() / 1000);
    return { question, askedAt, ...(await askInTurn(question, openStream)) };
  });
  const { answer: stream, askedAt, enclave, paid, question } = asked;
  const { node } = question;
  const requestHash = hashOfRequest(request);
  try {
    return yield* releasedFrames({
      ...{ body: stream.body, host: node.host },
      names: { id: `chatcmpl-${requestHash}`, created: askedAt, model: request.model },
      confirm: (answer) => verified(question, { answer, enclave, paid, askedAt }),
    });
  } catch (error) {
    if (isMisbehaviour(error)) client.memory.demote(node);
    throw withPayment(error, paid, request.salt);
  }
}

type Question = {
  client: Client;
  node: URL;
  /** its enclave, where the registry has named the node */
  teeId: string | undefined;
  request: ChatRequest;
  /** a payment that was signed for it before */
  before: Payment | undefined;
};

async function askUnverified(question: Question): Promise<ChatReply> {
  const { node } = question;
  const created = Math.floor(Date.now() / 1000);
  const { answer: came, paid } = await askPaid({
    ...question,
    enclaveNode: undefined,
    ask: (payment) => askAnswer({ ...question, payment }),
  });
  const fields = fieldsOf(came, node.host);
  const answer = answerOf(fields, { id: "chatcmpl-unverified", created, host: node.host });
  return {
    ...{ verification: "off", answer, text: textOf(answer), receipt: null, lines: [] },
    ...{ node: node.host, payment: paid, witness: null },
  };
}

async function askVerified(question: Question): Promise<ChatReply> {
  const askedAt = Math.floor(Date.now() / 1000);
  const { client, node, request } = question;
  const { answer, enclave, isKept = false, paid } = await askBoth(question);
  const look = async (shown: EnclaveWords): Promise<ChatReply> => {
    const reply = await verified(question, { answer, enclave: shown, paid, askedAt });
    client.signingKeys.set(node.href, shown.signingKey);
    return reply;
  };
  try {
    return await look(enclave);
  } catch (error) {
    if (!isKept || !isUnverified(error)) throw withPayment(error, paid);
    // It may have another key by now, or another session's.
    const { signal } = request;
    return await look(await askEnclave({ client, node, wantsDocument: true, signal }));
  }
}

const isUnverified = (error: unknown): boolean =>
  error instanceof BaseError && error.code === "answer.notVerified";

async function verified(
  { client, node, request }: Question,
  came: { answer: unknown; enclave: EnclaveWords; paid: Paid | null; askedAt: number },
): Promise<ChatReply> {
  const { answer, askedAt, enclave, paid } = came;
  const hints = hintsOf(paid);
  const answered = receiptOfAnswer({ request: request.body, answer, ...enclave, hints });
  const { receipt, witness } = await withWitness(client, answered, request);
  const { pins, rpcs } = client;
  const blockHashes = blockHashesOf(witness);
  const lines = await verify(receipt, { pins, rpcs, blockHashes, model: request.model });
  requireVerified(lines, request, node.host);
  const isRelayed = client.relay !== undefined;
  requireAsAsked(receipt.core, request, { askedAt, host: node.host, isRelayed, paid });
  const shown = answerOf(signedFields(receipt), {
    id: `chatcmpl-${receipt.core.message.requestId}`,
    created: Number(receipt.core.message.timestamp),
    host: node.host,
  });
  return {
    ...{ verification: "verified", answer: shown, text: textOf(shown), receipt, lines },
    ...{ node: node.host, payment: paid, witness },
  };
}

type Both<Answer = unknown> = {
  answer: Answer;
  enclave: EnclaveWords;
  paid: Paid | null;
  /** the enclave's key is what the node said before */
  isKept?: boolean;
};

/**
 * Answer and enclave at once; where one fails, the other is let go of. Who may be paid shows the enclave first, and where the channel
 * has to be attested the enclave is looked at before it is told anything.
 */
async function askBoth(question: Question): Promise<Both> {
  const { client, node, request } = question;
  const failed = new AbortController();
  const { signal } = request;
  if (client.payer !== undefined || request.isChannelAttested || request.isOblivious) {
    return await askInTurn(question, askAnswer);
  }
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const wantsDocument = request.policy.attestation !== "registry";
  // The document, which is of now, vouches for the key or does not.
  const kept = wantsDocument ? client.signingKeys.get(node.href) : undefined;
  try {
    const [answer, enclave] = await Promise.all([
      askAnswer({ ...question, request: { ...request, signal: both } }),
      askEnclave({ client, node, wantsDocument, signal: both, kept }),
    ]);
    return { answer: answer.answer, enclave, paid: null, isKept: kept !== undefined };
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** No money goes to a node whose enclave is none that counts: its key is known, and vouched for, before it is paid. */
async function askInTurn<Answer>(
  question: Question,
  ask: (asked: Asked) => Promise<Answered<Answer>>,
): Promise<Both<Answer>> {
  for (let way = await open(question); ; ) {
    const { enclave, enclaveNode, next, send } = way;
    try {
      const { answer, paid } = await askPaid({
        ...{ ...question, enclaveNode },
        ask: (payment) => ask({ ...question, payment, send }),
      });
      return { answer, enclave, paid };
    } catch (error) {
      const another = await next?.();
      if (another === undefined) throw error;
      way = another;
    }
  }
}

async function open(question: Question): Promise<LookedAt | Channel> {
  const { request } = question;
  const asked = { ...question, ...request };
  if (request.isOblivious) return await openOblivious(asked);
  return await (request.isChannelAttested ? openChannel(asked) : lookAtEnclave(question));
}

/** An enclave, without a channel to it. */
type LookedAt = Omit<Channel, "send" | "next"> & { send?: never; next?: never };

async function lookAtEnclave(question: Question): Promise<LookedAt> {
  const { client, node, request } = question;
  const { policy, signal } = request;
  const wantsDocument = policy.attestation !== "registry";
  const enclave = await askEnclave({ client, node, wantsDocument, signal });
  return { enclave, enclaveNode: await requireEnclave({ client, node, enclave }) };
}

type Asked = Omit<Question, "before"> & {
  payment?: Payment | undefined;
  /** over which connections; any if left out */
  send?: Send | undefined;
};

async function askAnswer(asked: Asked): Promise<Answered> {
  const { host } = asked.node;
  if (asked.request.isStream) {
    const { answer, settled } = await openStream(asked);
    return { answer: await readStream(answer.body, host), settled };
  }
  const answer = await askNode(questionTo(asked));
  if (answer.status !== 200) throw refusalOf(answer, host);
  return { answer: parsed(answer.text, host), settled: answer.header("payment-response") };
}

/** A stream, as soon as its head is here. */
async function openStream(asked: Asked): Promise<Answered<Pick<Sent, "body">>> {
  const { host } = asked.node;
  const isEvents = (type = ""): boolean => /^text\/event-stream\s*(;|$)/i.test(type);
  const { body, ...head } = await openNode(questionTo(asked));
  if (head.status === 200 && isEvents(head.header("content-type"))) {
    return { answer: { body }, settled: head.header("payment-response") };
  }
  const decoder = new TextDecoder();
  let words = "";
  for await (const chunk of body) words += decoder.decode(chunk, { stream: true });
  if (head.status !== 200) throw refusalOf({ ...head, text: words }, host);
  throw nodeError("malformed", `${host} does not answer with a stream`);
}

function questionTo({ client, node, payment, request, send }: Asked): NodeQuestion {
  const { idempotencyKey, isStream, salt, signal, text } = request;
  return {
    ...{ node, path: client.payer?.path ?? CHAT_PATH, json: text, signal, send },
    headers: {
      ...{ accept: isStream ? "text/event-stream" : "application/json", "haca-salt": salt },
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(payment === undefined ? {} : { "payment-signature": payment.header }),
    },
    limits: { bytes: client.limits.answerBytes, ms: client.limits.answerMs },
  };
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
  { isFresh, isOblivious, salt }: ChatRequest,
  asked: { askedAt: number; host: string; isRelayed: boolean; paid: Paid | null },
): void {
  const { askedAt, host, isRelayed, paid } = asked;
  const wrong = (field: string, what: string): BaseError =>
    new BaseError({
      ...{ code: "answer.unexpected", details: { field } },
      message: `${host} ${what}`,
    });
  // Of an oblivious request the enclave draws it; that its answer is to this request, and no older, shows who has sealed it.
  if (input?.type !== "text" || (input.salt !== (paid?.requestSalt ?? salt) && !isOblivious)) {
    throw wrong("salt", "answers with another salt than the one that was sent");
  }
  // What a relay pays, and whether by a channel of its own, is between it and the node.
  if (!isRelayed && message.requester !== (paid?.requester ?? paid?.payer ?? NOBODY)) {
    throw wrong("requester", "answers for somebody else, who pays");
  }
  if (!isRelayed && BigInt(message.price) > BigInt(paid?.most ?? 0)) {
    throw wrong("price", `charges ${message.price} for the answer`);
  }
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
