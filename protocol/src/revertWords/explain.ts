import { formatEther } from "ethers";

/** One line for a person, from an error's values. */
export type Explain = (values: readonly unknown[]) => string;
/** Explanations by errors' names. */
export type Explanations = Readonly<Record<string, Explain>>;

/** A time for a person; unix seconds where no calendar reaches. */
export const time = (seconds: unknown): string => {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
};

export const opg = (amount: unknown): string => `${formatEther(BigInt(String(amount)))} OPG`;

/** A name of an enumeration, or its number. */
export const named = (names: readonly string[], number: unknown): string =>
  names[Number(number)] ?? String(number);

/** As `IInferenceSettlement.Verification` counts. */
export const KINDS = ["Vanilla", "ZKML", "TEE", "Optimistic"] as const;
