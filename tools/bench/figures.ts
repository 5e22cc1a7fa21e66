import { BaseError } from "@haca/protocol/baseError";

/** The value below which a share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** To hundredths. */
export const round = (value: number): number => Math.round(value * 100) / 100;

/** @throws BaseError naming the option */
export function wholeNumber(parameters: { name: string; text: string }): number {
  const { name, text } = parameters;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new BaseError({
    code: "bench.badNumber",
    message: `${name}: must be a whole number from 1 to 999999, got ${text}`,
  });
}
