import { CHECKS, type Check, type Line } from "./line.ts";

/** What an answer has to have shown. */
export type Policy = {
  /**
   * Where it is known from that a key is in an enclave that counts: `direct` demands the attestation document and an image
   * that is pinned, `registry` takes what the registry says at the RPCs
   */
  attestation?: "direct" | "registry";
  /** takes answers of the profile `legacy`, of which neither chain, contract and request nor the model's version is signed */
  legacy?: boolean;
  /** lines that have to be asserted besides */
  demands?: readonly Check[];
};

const ALWAYS: readonly Check[] = ["form", "contract", "time", "request", "model", "signature"];
/** What the profile `legacy` does not sign. */
const NOT_OF_LEGACY: readonly Check[] = ["contract", "request", "model"];
/** What happened to node or request later takes nothing back of an answer; who wants it demands it. */
const LATER: readonly Check[] = ["inGoodStanding", "settled"];

/**
 * Whether every line that the policy demands is asserted, and none of what was checked is refuted. An answer of an enclave
 * needs its key and attestation, one of a node its proof: a node's word alone is never verified.
 */
export const isVerified = (lines: readonly Line[], policy: Policy = {}): boolean =>
  whatIsMissing(lines, policy).length === 0;

/** The checks for which an answer is not verified, as `isVerified` judges: refuted, or demanded and not asserted. */
export function whatIsMissing(lines: readonly Line[], policy: Policy = {}): readonly Check[] {
  const { attestation = "direct", demands = [], legacy = false } = policy;
  const has = (check: Check): boolean => lines.some((line) => line.check === check);
  const ofKind: readonly Check[] = has("key")
    ? ["key", attestation === "direct" ? "attestation" : "validWhenAnswered"]
    : ["input", "output", "proof"];
  const ofSession: readonly Check[] = has("session") ? ["session"] : [];
  const always =
    legacy && has("coverage") ? ALWAYS.filter((check) => !NOT_OF_LEGACY.includes(check)) : ALWAYS;
  const demanded = new Set([...always, ...ofKind, ...ofSession, ...demands]);
  return CHECKS.filter((check) => {
    const found = lines.filter((line) => line.check === check);
    const isAsserted = found.length > 0 && found.every(({ status }) => status === "asserted");
    const isRefuted = found.some(({ status }) => status === "refuted") && !LATER.includes(check);
    return isRefuted || (demanded.has(check) && !isAsserted);
  });
}
