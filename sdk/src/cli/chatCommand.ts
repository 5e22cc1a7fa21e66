import { textIn } from "../adapters/answerNote.ts";
import type { ChatOptions } from "../client/chat/chatOptions.ts";
import type { ChatChunk, ChatReply } from "../client/chat/chatReply.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { interruptible } from "./interrupt.ts";
import { type ClientArguments, openClient, type ReleaseArguments } from "./openClient.ts";
import { opgOf, type PaymentArguments, payerOf } from "./payment.ts";
import { printable, witnessWords } from "./print.ts";
import { progressOn } from "./progress.ts";
import { readInput, UsageError } from "./readInput.ts";
import { reserveReceipt } from "./receiptFile.ts";

const MESSAGE_LIMIT = 1024 * 1024;

export type ChatArguments = ClientArguments &
  ReleaseArguments &
  PaymentArguments & {
    model: string;
    system?: string;
    parameter?: readonly string[];
    receipt?: string;
    unverified?: boolean;
    idempotencyKey?: string;
    json?: boolean;
  };

/**
 * `haca chat`: what is printed of an answer, and what is said of it. Without `--unverified` it is verified, or this throws.
 * @param print takes the text as it comes, with `--release channel`; what is returned is then the rest of it
 */
export async function askChat(
  message: string,
  options: ChatArguments,
  print: (text: string) => void,
): Promise<{ text: string; note: string }> {
  const { model, receipt: path, system } = options;
  const isUnverified = options.unverified === true;
  const isReleased = options.release === "channel";
  if (isReleased && (isUnverified || options.json === true)) {
    const other = isUnverified ? "--unverified" : "--json";
    throw new UsageError(`--release: what comes by channel is text that is verified, not ${other}`);
  }
  if (isUnverified && path !== undefined) {
    throw new UsageError("--receipt: an answer that is taken unverified has none");
  }
  if (isUnverified && options.witness) {
    throw new UsageError(
      "--witness: an answer that is taken unverified has no receipt to have one",
    );
  }
  const parameters = Object.fromEntries((options.parameter ?? []).map(readParameter));
  const content = message === "-" ? await readMessage() : message;
  const { idempotencyKey } = options;
  const progress = progressOn(process.stderr);
  const say = (line: string): void => {
    progress.end();
    process.stderr.write(`${line}\n`);
  };
  const payer = await payerOf(options, { env: process.env, say });
  const { haca } = await openClient(options, payer);
  const file = path === undefined ? undefined : reserveReceipt(path);
  progress.say(
    isReleased
      ? "waiting for the answer"
      : "waiting for the whole answer, which is verified before it is shown",
  );
  const show = (text: string): void => {
    progress.end();
    print(lines(text));
  };
  try {
    const reply = await interruptible("stopped; what the node answered is lost", (signal) => {
      const asked: ChatOptions = {
        ...{ model, parameters, signal },
        messages: [
          ...(system === undefined ? [] : [{ role: "system", content: system }]),
          { role: "user", content },
        ],
        ...(isUnverified ? { verify: "off" } : {}),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      };
      if (!isReleased) return haca.chat(asked);
      return shown(haca.streamChat({ ...asked, release: "channel" }), show);
    });
    progress.end();
    if (reply.receipt !== null) file?.keep(serialiseReceipt(reply.receipt));
    if (options.json) return { text: `${JSON.stringify(reply, null, 2)}\n`, note: "" };
    return { text: `${isReleased ? "" : lines(reply.text)}\n`, note: noteOf(reply) };
  } catch (error) {
    file?.giveBack();
    throw error;
  } finally {
    progress.end();
  }
}

const lines = (text: string): string => text.split("\n").map(printable).join("\n");

/** Shows the first choice's text as it comes. Where the end does not confirm it, what is said of that begins a line of its own. */
async function shown(
  frames: AsyncGenerator<ChatChunk, ChatReply>,
  show: (text: string) => void,
): Promise<ChatReply> {
  let isBegun = false;
  try {
    let next = await frames.next();
    for (; next.done !== true; next = await frames.next()) {
      const text = textIn(next.value.choices.find(({ index }) => index === 0)?.delta, "content");
      if (text === "") continue;
      isBegun = true;
      show(text);
    }
    return next.value;
  } catch (error) {
    if (isBegun) show("\n");
    throw error;
  }
}

function noteOf({ node, payment, receipt, witness }: ChatReply): string {
  const verified =
    receipt === null
      ? `NOT verified: ${node} answered, and nobody looked\n`
      : `verified: ${node}, receipt ${receiptId(receipt.core)}\n`;
  const paid =
    payment === null ? "" : `paid: ${opgOf(payment.most)} at most, by ${payment.route}\n`;
  return `${verified}${witness === null ? "" : `${witnessWords(witness)}\n`}${paid}`;
}

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
