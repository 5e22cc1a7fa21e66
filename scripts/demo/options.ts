import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasLocalModel } from "@haca/gateway/localModel/localModel";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

export type DemoOptions = { count: number; model: string; keep: boolean; chat: boolean };

/** How the local model comes to be there. */
const FETCH = "npm run gateway -- local-model (180 MB) fetches it";

/** Checks the values of the demo's command line; a bad one is refused by name. */
export function checkOptions(values: {
  count: string;
  model: string;
  keep: boolean;
  chat: boolean;
}): DemoOptions {
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

/**
 * Which stories the demo tells: chat where it was asked for, or where the local model is there; the other one unless chat alone was
 * asked for. Without the model chat cannot be asked for, and `note` says how to get it.
 */
export function storiesOf(parameters: { chat: boolean; modelFolder: string }): {
  chat: boolean;
  proofs: boolean;
  note: string | undefined;
} {
  const { chat, modelFolder } = parameters;
  const isThere = hasLocalModel(modelFolder);
  if (chat && !isThere) {
    const message = `--chat: there is no local model in ${modelFolder}: ${FETCH}`;
    throw new BaseError({ code: "demo.noLocalModel", message });
  }
  const note = isThere ? undefined : `without chat: there is no local model; ${FETCH}`;
  return { chat: isThere, proofs: !chat, note };
}
