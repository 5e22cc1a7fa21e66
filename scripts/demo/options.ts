import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

export type DemoOptions = { count: number; model: string; keep: boolean };

/** Checks the values of the demo's command line; a bad one is refused by name. */
export function checkOptions(values: { count: string; model: string; keep: boolean }): DemoOptions {
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new BaseError({
      code: "demo.badOption",
      message: `--count must be an integer from 1 to 100, got ${JSON.stringify(values.count)}`,
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
