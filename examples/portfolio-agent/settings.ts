import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Pins } from "@haca/sdk/pins";
import { readPins } from "@haca/sdk/readPins";
import { z } from "zod";

const urls = z.array(z.url({ protocol: /^https?$/ })).min(1);
const asked = { model: z.string().min(1), nodes: urls };

const settingsSchema = z.strictObject({
  chainId: z.string().regex(/^[1-9]\d*$/, "must be a whole number as text"),
  rpcs: urls,
  /** file of pins, beside the settings */
  pins: z.string().min(1),
  feed: z.strictObject({
    reader: z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address"),
    /** seconds: two heartbeats of the feed are a good bound */
    maxAge: z.int().positive(),
    /** how far back to look for closes: more than days where a day has several */
    rounds: z.int().min(2).max(1_000),
  }),
  forecaster: z.strictObject({
    ...asked,
    /** returns that the model reads, oldest first, each limited */
    days: z.int().min(1),
    returnLimit: z.int().positive(),
  }),
  language: z.strictObject(asked),
  portfolio: z.strictObject({
    /** what the language model is to hold trades against */
    mandate: z.string().min(1),
    /** share that is held in the asset now */
    held: z.number().min(0).max(1),
    /** basis points a day that the whole portfolio may move */
    targetVolatility: z.number().positive(),
  }),
  /** folder, beside the settings */
  receipts: z.string().min(1),
});

export type Settings = Omit<z.infer<typeof settingsSchema>, "pins"> & { pins: Pins };

/** Settings that cannot be read: whose they are, and why. */
export class SettingsError extends Error {}

/** @throws SettingsError naming file, field and reason */
export function readSettings(path: string): Settings {
  const beside = (file: string): string => resolve(dirname(path), file);
  const parsed = settingsSchema.safeParse(read(path, JSON.parse));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "the file";
    throw new SettingsError(`${path}: ${field}: ${issue?.message}`);
  }
  const { pins: file, receipts, ...settings } = parsed.data;
  const pins = read(beside(file), readPins);
  const { model } = settings.forecaster;
  if (pins.models?.[model]?.verifyingKeyHash === undefined) {
    const why = "with verifyingKeyHash and inputWords, or no receipt of it stands alone";
    throw new SettingsError(`${beside(file)}: models.${model}: must be pinned ${why}`);
  }
  return { ...settings, receipts: beside(receipts), pins };
}

function read<T>(path: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new SettingsError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
