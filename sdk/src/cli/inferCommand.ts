import type { CommittedMode } from "@haca/protocol/inputMode";
import type { Inference } from "../client/infer/infer.ts";
import type { InferInput } from "../client/infer/tensors.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import { receiptId } from "../typedData.ts";
import { interruptible } from "./interrupt.ts";
import { type ClientArguments, openClient } from "./openClient.ts";
import { printLines, witnessWords } from "./print.ts";
import { progressOn } from "./progress.ts";
import { readInput, UsageError } from "./readInput.ts";
import { reserveReceipt } from "./receiptFile.ts";

const INPUT_LIMIT = 4 * 1024 * 1024;

export type InferArguments = ClientArguments & {
  model: string;
  input: string;
  receipt?: string;
  maxPrice?: string;
  requester?: string;
  inputMode?: CommittedMode;
  salt?: string;
  /** false: `--no-proof` */
  proof: boolean;
  json?: boolean;
};

/** `haca infer`: an answer that is verified, or marked, as it is printed. */
export async function inferFor(options: InferArguments & { isColoured: boolean }): Promise<string> {
  const { inputMode, requester, salt } = options;
  const maxPrice = options.maxPrice === undefined ? 0n : readPrice(options.maxPrice);
  const input = await inputIn(options.input);
  if (inputMode === "committed") {
    const warning = "the commitment has no salt: whoever can try all likely inputs finds the one";
    process.stderr.write(`${warning}\n`);
  }
  const { haca } = await openClient(options);
  const file = options.receipt === undefined ? undefined : reserveReceipt(options.receipt);
  const progress = progressOn(process.stderr);
  try {
    const answer = await interruptible("stopped; what the node answered is lost", (signal) =>
      haca.infer({
        ...{ model: options.model, input, maxPrice, signal, onProgress: progress.say },
        ...(requester === undefined ? {} : { requester }),
        ...(inputMode && { inputMode }),
        ...(salt === undefined ? {} : { salt }),
        onSalt: (drawn) => {
          if (drawn !== salt)
            process.stderr.write(`salt ${drawn}: keep it, even if no answer comes\n`);
        },
        ...(options.proof ? {} : { proof: "off" as const }),
      }),
    );
    progress.end();
    file?.keep(serialiseReceipt(answer.receipt));
    return textOf(answer, options);
  } catch (error) {
    file?.giveBack();
    throw error;
  } finally {
    progress.end();
  }
}

function textOf(answer: Inference, options: { isColoured: boolean; json?: boolean }): string {
  const { lines, node, outputs, receipt, salt, verification, witness } = answer;
  const id = receiptId(receipt.core);
  if (options.json) {
    const whole = { id, verification, node, outputs, salt, lines, receipt, witness };
    return `${JSON.stringify(whole, null, 2)}\n`;
  }
  const verdict =
    verification === "verified" ? "verified" : "not verified: its proof was not waited for";
  const text = [
    ...outputs.map((tensor, index) => `output ${index}: ${tensor.join(" ")}`),
    `receipt ${id}`,
    ...(salt === null ? [] : [`salt ${salt}`]),
    ...(witness === null ? [] : [witnessWords(witness)]),
    ...printLines(lines, options),
    verdict,
  ];
  return `${text.join("\n")}\n`;
}

async function inputIn(path: string): Promise<InferInput> {
  const bytes = await readInput({ path, limit: INPUT_LIMIT });
  if (bytes.length > INPUT_LIMIT) throw new UsageError(`${path}: has more than 4 MiB`);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    // What is in the list is looked at with the model at hand.
    if (Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new UsageError(`${path}: must be a list of numbers as JSON`);
}

function readPrice(text: string): bigint {
  if (/^\d{1,78}$/.test(text)) return BigInt(text);
  throw new UsageError(`--max-price: must be wei-scale OPG in decimal digits, got ${text}`);
}
