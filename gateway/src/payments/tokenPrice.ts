import { isObject, type Json, type JsonObject } from "@haca/protocol/json/json";

/** Smallest units of a token of the model, of what it is asked and of what it answers. */
export type TokenPrice = { input: bigint; output: bigint };

/**
 * What an answer costs of the most that was paid for it: by its usage, where the model is priced so; never nothing, for which no
 * payment is captured. An answer without usage costs the most.
 */
export function priceOfAnswer(parameters: {
  answer: JsonObject;
  most: bigint;
  perToken: TokenPrice | undefined;
}): bigint {
  const { answer, most, perToken } = parameters;
  const usage = answer.get("usage");
  if (perToken === undefined || !isObject(usage)) return most;
  const [input, output] = [usage.get("prompt_tokens"), usage.get("completion_tokens")];
  if (!isCount(input) || !isCount(output)) return most;
  const price = perToken.input * BigInt(input) + perToken.output * BigInt(output);
  if (price === 0n) return 1n;
  return price < most ? price : most;
}

const isCount = (value: Json | undefined): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
