import { keccak, keccakText, toHex } from "../../bytes.ts";
import type { Policy } from "../../isVerified.ts";
import { canonicalJson } from "../../receipt/canonicalJson.ts";
import { LIMITS } from "../../receipt/receipt.ts";
import type { Client } from "../client.ts";
import { optionError, requireKnown } from "../optionError.ts";
import { readWitness } from "../takeWitness.ts";
import { type ChannelOptions, type ReadChannel, readChannel } from "./channelOptions.ts";

/** A message as OpenAI's API has it. */
export type ChatMessage = { role: string; content?: unknown; [member: string]: unknown };

/** What is asked, and how its answer is taken. */
export type ChatOptions = ChannelOptions & {
  /** name of a pinned model, by which nodes know it, too */
  model: string;
  messages: readonly ChatMessage[];
  /** whatever else belongs to the request: `temperature`, `max_tokens`, `tools`, … */
  parameters?: Readonly<Record<string, unknown>>;
  /** addresses of nodes; the client's if left out */
  nodes?: readonly string[];
  /** the client's if left out */
  policy?: Policy;
  /** 32 bytes; drawn if left out, or of the idempotency key. With it nobody finds out the prompt by its hash */
  salt?: string;
  /** the same request under the same key is answered once by a node; 16 to 255 printable characters, random ones */
  idempotencyKey?: string;
  /** must be spelled out: the answer is taken unverified, and marked so */
  verify?: "off";
  /** the client's if left out: appends to the receipt what the chain's latest block shows of the answer */
  witness?: boolean;
  signal?: AbortSignal;
};

/** A request that was looked at. */
export type ChatRequest = ReadChannel & {
  model: string;
  /** what is sent, and its canonical text */
  body: Readonly<Record<string, unknown>>;
  text: string;
  isStream: boolean;
  salt: string;
  /** no answer can be older than the request: nobody knew its salt before */
  isFresh: boolean;
  idempotencyKey: string | undefined;
  policy: Policy;
  isUnverified: boolean;
  wantsWitness: boolean;
  signal: AbortSignal | undefined;
};

const OPTIONS = [
  ...["model", "messages", "parameters", "nodes", "policy"],
  ...["salt", "idempotencyKey", "verify", "signal", "channel", "release", "witness"],
];
/** What is no matter of parameters. */
const OWN = ["model", "messages", "stream"];
/** By what a client may name itself. */
const DROPPED = ["user", "metadata", "request_id", "x-request-id"];
/** Of the 512 KiB that gateways read: header, encapsulated key and tag take the rest. */
const MAXIMUM_SEALED = 512 * 1024 - (7 + 32 + 16);
const KEY = /^[\x21-\x7e]{16,255}$/;

/** @throws BaseError `option.wrong` */
export function readChat(client: Client, options: ChatOptions, isStream: boolean): ChatRequest {
  requireKnown(options, OPTIONS);
  const { idempotencyKey, messages, model, parameters = {}, policy = client.policy } = options;
  if (typeof model !== "string" || model === "") throw optionError("model", "must be a name");
  if (!Array.isArray(messages) || messages.length === 0) {
    throw optionError("messages", "must be a list of messages");
  }
  const own = OWN.find((name) => Object.hasOwn(parameters, name));
  if (own !== undefined) throw optionError(`parameters.${own}`, "is an option of its own");
  if (options.verify !== undefined && options.verify !== "off") {
    throw optionError("verify", 'must be "off", or left out');
  }
  if (idempotencyKey !== undefined && !KEY.test(idempotencyKey)) {
    throw optionError("idempotencyKey", "must be 16 to 255 printable characters without spaces");
  }
  const channel = readChannel(options, client);
  const isUnverified = options.verify === "off";
  if (isUnverified && options.witness === true) {
    throw optionError("witness", "is appended to a receipt, and an unverified answer has none");
  }
  const wantsWitness = !isUnverified && readWitness(client, options);
  if (channel.isOblivious) requireOblivious(client, options, policy);
  else if (client.relay !== undefined) {
    throw optionError("relay", 'brings oblivious requests alone: ask with channel: "oblivious"');
  }
  if (isUnverified && (channel.isChannelAttested || channel.isOblivious)) {
    throw optionError(
      "verify",
      '"off" attests nothing, and a channel to the enclave was asked for',
    );
  }
  if (!isUnverified) requirePins(client, model, policy);
  const { body, text } = requestOf({
    ...parameters,
    model,
    messages,
    ...(isStream && { stream: true }),
  });
  if (channel.isOblivious) requireSealable(text);
  return {
    ...{
      model,
      body,
      text,
      isStream,
      policy,
      isUnverified,
      wantsWitness,
      idempotencyKey,
      ...channel,
    },
    salt: readSalt(options),
    isFresh: options.salt === undefined && idempotencyKey === undefined,
    signal: options.signal,
  };
}

/** Without these no answer could be verified: nobody is asked, and told the prompt, for nothing. */
function requirePins({ pins, rpcs }: Client, model: string, policy: Policy): void {
  if (pins.settlements?.length === 0) {
    throw optionError("pins.settlements", "none is pinned for this chain");
  }
  if (!Object.hasOwn(pins.models ?? {}, model)) {
    throw optionError("model", `${JSON.stringify(model)} is not pinned`);
  }
  const isDirect = policy.attestation !== "registry";
  if (isDirect && (pins.images ?? []).length === 0) {
    throw optionError("pins.images", "no image is pinned, and the policy demands one that is");
  }
  if (!isDirect && rpcs.length === 0) {
    throw optionError("rpcs", "none was given, and the policy takes the registry's word");
  }
}

/** What a sealed request has no place for, or its enclave throws away unread: the answer would be to another request. */
function requireOblivious(
  { payer, relay }: Client,
  { parameters = {}, ...options }: ChatOptions,
  policy: Policy,
): void {
  if (relay !== undefined && policy.attestation !== "registry") {
    const reason =
      'must be "registry" with a relay: else the node is asked for its key, and sees who asks';
    throw optionError("policy.attestation", reason);
  }
  for (const name of ["salt", "idempotencyKey"] as const) {
    if (options[name] === undefined) continue;
    throw optionError(
      name,
      "cannot be given with an oblivious request: its enclave draws the salt",
    );
  }
  if (payer !== undefined) throw optionError("payer", "pays for no oblivious requests");
  const dropped = DROPPED.find((name) => Object.hasOwn(parameters, name));
  if (dropped === undefined) return;
  throw optionError(`parameters.${dropped}`, "is thrown away unread with an oblivious request");
}

/** Gateways read no longer one, and say so in plain. */
function requireSealable(text: string): void {
  const { length } = new TextEncoder().encode(text);
  if (length <= MAXIMUM_SEALED) return;
  const reason = `an oblivious request must have ${MAXIMUM_SEALED} bytes at most, and has ${length}`;
  throw optionError("messages", reason);
}

/** As it will be read on the other side: what JSON leaves out is left out. */
function requestOf(request: object): Pick<ChatRequest, "body" | "text"> {
  let body: Readonly<Record<string, unknown>>;
  try {
    body = JSON.parse(JSON.stringify(request));
  } catch {
    throw optionError("parameters", "messages and parameters must be values of JSON");
  }
  requireWellFormed(body);
  const text = canonicalJson(body);
  if (text.length > LIMITS.text) {
    throw optionError("messages", `the request must have ${LIMITS.text} characters at most`);
  }
  return { body, text };
}

/** Half of a pair has no bytes in UTF-8. */
function requireWellFormed(value: unknown): void {
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) {
    throw optionError("messages", "a text has half of a surrogate pair");
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    requireWellFormed(name);
    requireWellFormed(member);
  }
}

function readSalt({ idempotencyKey, salt }: ChatOptions): string {
  if (salt !== undefined) {
    if (/^0x[0-9a-f]{64}$/.test(salt)) return salt;
    throw optionError("salt", "must be 32 bytes as 0x and lower-case hex");
  }
  if (idempotencyKey === undefined) return toHex(crypto.getRandomValues(new Uint8Array(32)));
  // The same for the same key, and no other's: whoever knows the key alone knows it.
  return keccak(keccakText("HACA salt of an idempotency key 1"), keccakText(idempotencyKey));
}
