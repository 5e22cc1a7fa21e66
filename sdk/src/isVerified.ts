import type { Check, Line } from "./line.ts";

/** What an answer has to have shown. */
export type Policy = {
  /**
   * Where it is known from that a key is in an enclave that counts: `direct` demands the attestation document and an image
   * that is pinned, `registry` takes what the registry says at the RPCs
   */
  attestation?: "direct" | "registry";
  /** lines that have to be asserted besides */
  demands?: readonly Check[];
};

const ALWAYS: readonly Check[] = ["form", "contract", "time", "request", "model", "signature"];
/** What happened to node or request later takes nothing back of an answer; who wants it demands it. */
const LATER: readonly Check[] = ["inGoodStanding", "settled"];

/**
 * Whether every line that the policy demands is asserted, and none of what was checked is refuted. An answer of an enclave
 * needs its key and attestation, one of a node its proof: a node's word alone is never verified.
 */
export function isVerified(lines: readonly Line[], policy: Policy = {}): boolean {
  const { attestation = "direct", demands = [] } = policy;
  const has = (check: Check): boolean => lines.some((line) => line.check === check);
  const isAsserted = (check: Check): boolean => {
    const found = lines.filter((line) => line.check === check);
    return found.length > 0 && found.every(({ status }) => status === "asserted");
  };
  if (lines.some(({ check, status }) => status === "refuted" && !LATER.includes(check))) {
    return false;
  }
  const ofKind: readonly Check[] = has("key")
    ? ["key", attestation === "direct" ? "attestation" : "validWhenAnswered"]
    : ["input", "output", "proof"];
  const ofSession: readonly Check[] = has("session") ? ["session"] : [];
  return [...ALWAYS, ...ofKind, ...ofSession, ...demands].every(isAsserted);
}
