import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

export const HELP = `Runs real inferences end to end on a local chain: answer, prove, settle, index.

usage: npm run demo [-- options]

  --count <n>     number of test images to send, 1 to 100 (default 10)
  --model <name>  a folder under models/ with <name>.onnx, calibration.json and test.json (default digits)
  --keep          leave chain, worker and indexer running and print their addresses; Ctrl-C ends them
  --help          this text`;

export type DemoOptions = { count: number; model: string; keep: boolean; help: boolean };

/** Reads the demo's command line; a bad value is refused by name. */
export function parseOptions(commandLine: readonly string[]): DemoOptions {
  let values: { count: string; model: string; keep: boolean; help: boolean };
  try {
    ({ values } = parseArgs({
      args: [...commandLine],
      options: {
        count: { type: "string", default: "10" },
        model: { type: "string", default: "digits" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (cause) {
    throw new BaseError({
      code: "demo.badOption",
      message: `${cause instanceof Error ? cause.message : String(cause)} (see npm run demo -- --help)`,
      cause,
    });
  }
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new BaseError({
      code: "demo.badOption",
      message: `--count must be a whole number from 1 to 100, got ${JSON.stringify(values.count)}`,
    });
  }
  const onnx = join(PROJECT_ROOT, "models", values.model, `${values.model}.onnx`);
  if (!/^[a-z0-9-]+$/.test(values.model) || !existsSync(onnx)) {
    throw new BaseError({
      code: "demo.badOption",
      message: `--model ${JSON.stringify(values.model)}: there is no ${onnx}`,
    });
  }
  return { ...values, count };
}
