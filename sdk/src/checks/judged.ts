import { BaseError } from "@haca/protocol/baseError";
import type { Chain, openChain } from "../chain/openChain.ts";
import { type Check, type Line, lineOf } from "../line.ts";

/** How a check becomes a line, whatever becomes of it. */

/** Whatever is thrown refutes. */
export async function guarded(check: Check, look: () => Line | Promise<Line>): Promise<Line> {
  try {
    return await look();
  } catch (error) {
    return lineOf(check, "refuted", wordsOf(error));
  }
}

/** A chain, or why it does not open. */
export async function opened(
  open: typeof openChain,
  which: { rpcs: readonly string[]; chainId: string },
): Promise<Chain | string> {
  try {
    return await open(which);
  } catch (error) {
    return wordsOf(error);
  }
}

/** What a chain says; unknown where it does not, whatever the reason. */
export async function asked(
  check: Check,
  chain: Chain | string,
  look: (chain: Chain) => Promise<Line>,
): Promise<Line> {
  if (typeof chain === "string") return lineOf(check, "unknown", chain);
  try {
    return await look(chain);
  } catch (error) {
    const isOfChain = error instanceof BaseError && error.code.startsWith("chain.");
    return lineOf(check, isOfChain ? "unknown" : "refuted", wordsOf(error));
  }
}

/** Browsers have errors without words. */
export const wordsOf = (error: unknown): string =>
  (error instanceof Error && error.message) || "failed for no reason that was given";
