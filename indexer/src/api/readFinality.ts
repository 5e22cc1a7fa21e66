import { createPublicClient, HttpRequestError, http, BaseError as ViemError } from "viem";
import { readSettings } from "../../launch/readSettings.ts";
import type { Finality } from "../finalityLabel.ts";

/** How long an answer is taken again: whoever asks for rows must not make the endpoint busy. */
const KEEP_MS = 1000;
/** Rows are not held up for long by an endpoint that is slow; they are `indexed` then. */
const TIMEOUT_MS = 2000;

const client = createPublicClient({
  transport: http(readSettings(process.env).rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }),
});

let kept: { at: number; finality: Promise<Finality> } | undefined;

/**
 * What the endpoint says of its `safe` and `finalized` blocks, a second ago at most. Asked before rows are read: a block
 * that is final now was so before or is not said to be. Never throws: an endpoint that does not answer, or knows no such
 * tag, is the reason of a missing number.
 */
export function readFinality(): Promise<Finality> {
  const now = performance.now();
  if (kept === undefined || now - kept.at > KEEP_MS) {
    kept = { at: now, finality: askEndpoint() };
  }
  return kept.finality;
}

async function askEndpoint(): Promise<Finality> {
  const [safe, finalized] = await Promise.all([askTag("safe"), askTag("finalized")]);
  const reasons = [safe, finalized].flatMap(({ reason }) => reason ?? []);
  return {
    ...{ safe: safe.block, finalized: finalized.block },
    reason: reasons.length === 0 ? null : reasons.join("; "),
  };
}

async function askTag(
  tag: "safe" | "finalized",
): Promise<{ block: bigint | null; reason: string | null }> {
  try {
    const { number } = await client.getBlock({ blockTag: tag });
    return { block: number, reason: number === null ? `block ${tag} has no number` : null };
  } catch (error) {
    // The endpoint's own words may name its address, which may hold a key.
    const isSilent =
      !(error instanceof ViemError) || error.walk((layer) => isFailure(layer)) !== null;
    const reason = isSilent ? "no answer about" : "the endpoint has no";
    return { block: null, reason: `${reason} block ${tag}` };
  }
}

const isFailure = (error: unknown): boolean =>
  error instanceof HttpRequestError || (error as Error)?.name === "TimeoutError";
