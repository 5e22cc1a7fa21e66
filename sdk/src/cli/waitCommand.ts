import { BaseError } from "@haca/protocol/baseError";
import { parseReceipt } from "../receipt/parseReceipt.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { receiptId } from "../typedData.ts";
import { GOALS, type Goal, wait } from "../wait.ts";
import { pinsIn, requireUrl } from "./arguments.ts";
import { interruptible } from "./interrupt.ts";
import { printLines } from "./print.ts";
import { progressOn } from "./progress.ts";
import { readInput, UsageError } from "./readInput.ts";

export type WaitArguments = {
  until: string;
  pins?: string;
  rpc?: readonly string[];
  poll?: string;
  json?: boolean;
};

/** `haca wait`: whether it came, and what is printed. */
export async function waitForFile(
  path: string,
  options: WaitArguments & { isColoured: boolean },
): Promise<{ isReached: boolean; text: string }> {
  const { rpc: rpcs = [] } = options;
  const until = readGoal(options.until);
  const pollMs = options.poll === undefined ? undefined : readSeconds(options.poll) * 1000;
  rpcs.forEach(requireUrl);
  if (rpcs.length === 0) throw new UsageError("--rpc: a chain has to be asked; name an endpoint");
  const pins = options.pins === undefined ? {} : await pinsIn(options.pins);
  const receipt = parseReceipt(await readInput({ path, limit: LIMITS.receipt }));
  const id = receiptId(receipt.core);
  const progress = progressOn(process.stderr);
  try {
    const line = await interruptible(
      "stopped; nothing is lost: the same command goes on waiting",
      (signal) =>
        wait(receipt, until, {
          ...{ pins, rpcs, signal },
          ...(pollMs === undefined ? {} : { pollMs }),
          onProgress: ({ clock, detail }) => progress.say(`waiting for ${clock}: ${detail}`),
        }),
    );
    progress.end();
    if (options.json)
      return { isReached: true, text: jsonOf({ id, until, isReached: true, line }) };
    const text = [`receipt ${id}`, ...printLines([line], options), until];
    return { isReached: true, text: `${text.join("\n")}\n` };
  } catch (error) {
    progress.end();
    const isNever = error instanceof BaseError && error.code.startsWith("wait.");
    if (!isNever || !options.json) throw error;
    const { code, message } = error;
    return { isReached: false, text: jsonOf({ id, until, isReached: false, code, message }) };
  }
}

const jsonOf = (whole: object): string => `${JSON.stringify(whole, null, 2)}\n`;

function readGoal(text: string): Goal {
  const goal = GOALS.find((known) => known === text);
  if (goal !== undefined) return goal;
  throw new UsageError(`--until: must be ${GOALS.join(" or ")}, got ${text}`);
}

function readSeconds(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UsageError(`--poll: must be whole seconds, 1 to 99999, got ${text}`);
}
