import { existsSync, writeFileSync } from "node:fs";
import type { ChatReply } from "../client/chat/chatReply.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { type ClientArguments, openClient } from "./openClient.ts";
import { printable } from "./print.ts";
import { readInput, UsageError } from "./readInput.ts";

const MESSAGE_LIMIT = 1024 * 1024;

export type ChatArguments = ClientArguments & {
  model: string;
  system?: string;
  parameter?: readonly string[];
  receipt?: string;
  unverified?: boolean;
  json?: boolean;
};

/** `haca chat`: what is printed of an answer, and what is said of it. Without `--unverified` it is verified, or this throws. */
export async function askChat(
  message: string,
  options: ChatArguments,
): Promise<{ text: string; note: string }> {
  const { model, receipt: path, system } = options;
  const isUnverified = options.unverified === true;
  if (isUnverified && path !== undefined) {
    throw new UsageError("--receipt: an answer that is taken unverified has none");
  }
  if (path !== undefined && existsSync(path)) throw new UsageError(`${path}: there is one already`);
  const parameters = Object.fromEntries((options.parameter ?? []).map(readParameter));
  const content = message === "-" ? await readMessage() : message;
  const { haca } = await openClient(options);
  const reply = await haca.chat({
    ...{ model, parameters },
    messages: [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      { role: "user", content },
    ],
    ...(isUnverified ? { verify: "off" } : {}),
  });
  if (path !== undefined && reply.receipt !== null) keep(path, serialiseReceipt(reply.receipt));
  if (options.json) return { text: `${JSON.stringify(reply, null, 2)}\n`, note: "" };
  return { text: `${reply.text.split("\n").map(printable).join("\n")}\n`, note: noteOf(reply) };
}

const noteOf = ({ node, receipt }: ChatReply): string =>
  receipt === null
    ? `NOT verified: ${node} answered, and nobody looked\n`
    : `verified: ${node}, receipt ${receiptId(receipt.core)}\n`;

function readParameter(text: string): readonly [string, unknown] {
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  try {
    return [name, JSON.parse(value)];
  } catch {
    throw new UsageError(`--parameter: must be a name, = and a value in JSON, got ${text}`);
  }
}

async function readMessage(): Promise<string> {
  const bytes = await readInput({ path: "-", limit: MESSAGE_LIMIT });
  if (bytes.length > MESSAGE_LIMIT) throw new UsageError("-: the message is too long");
  return new TextDecoder().decode(bytes);
}

/** A receipt in a file that was not there before. */
function keep(path: string, receipt: string): void {
  try {
    writeFileSync(path, receipt, { flag: "wx", mode: 0o600 });
  } catch {
    throw new UsageError(`${path}: cannot be written`);
  }
}
