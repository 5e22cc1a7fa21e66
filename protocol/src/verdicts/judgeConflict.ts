import type { InferenceResult } from "../inferenceResult.ts";
import { OPTIMISTIC, type PageHeader, type PageLeaf } from "../pageSettlement.ts";
import { digestIn } from "./checks.ts";
import {
  isSignedByNode,
  judgeLeaf,
  type LeafVerdict,
  type PageState,
  type PageTerms,
  refuseSignature,
} from "./judgeLeaf.ts";
import { ACCEPTED } from "./verdict.ts";

/** What a second result shows about a page; or the error that the contract reverts with, of one that shows nothing. */
export type ConflictVerdict =
  | "ConflictingReceipt"
  | "PageSettlement_LeafIsBad"
  | "PageSettlement_NoConflict"
  | Extract<LeafVerdict, `${string}_${string}`>;

/**
 * What `PageSettlement.challengeConflict` says of a result that was signed for the request of a page's leaf besides it, where the
 * challenge is committed to and in time: whether it ends the page. A leaf that is wrong by itself is challenged as that.
 */
export async function judgeConflict(parameters: {
  header: PageHeader;
  leaf: PageLeaf;
  other: { result: InferenceResult; signature: string };
  terms: PageTerms;
  /** unix seconds of the block */
  now: bigint;
  state: PageState;
}): Promise<ConflictVerdict> {
  const { header, leaf, now, other, state } = parameters;
  const verdict = await judgeLeaf(parameters);
  if (isError(verdict)) return verdict;
  if (verdict !== ACCEPTED) return "PageSettlement_LeafIsBad";
  const { requestId, teeId, timestamp } = other.result;
  const digest = digestIn(state, other.result);
  const isOther = digest !== digestIn(state, leaf.result);
  const isOfBoth = requestId === leaf.result.requestId && teeId === leaf.result.teeId;
  if (!isOther || !isOfBoth) return "PageSettlement_NoConflict";
  const { signature } = other;
  if (header.kind === OPTIMISTIC) {
    const isSigned = isSignedByNode({ requestId, digest, signature });
    return isSigned ? "ConflictingReceipt" : "PageSettlement_NoConflict";
  }
  const enclave = state.enclaves?.get(teeId);
  if (enclave === undefined) return "TEERegistry_NodeUnknown";
  const isAhead = timestamp > now;
  const time = isAhead ? now : timestamp;
  const refused = await refuseSignature({ enclave, digest, signature, time });
  return refused === undefined ? "ConflictingReceipt" : "PageSettlement_NoConflict";
}

const isError = (verdict: LeafVerdict): verdict is Extract<LeafVerdict, `${string}_${string}`> =>
  verdict.includes("_");
