import { getAddress } from "ethers";
import type { InferenceResult } from "../inferenceResult.ts";
import { OPTIMISTIC, type PageHeader, type PageLeaf } from "../pageSettlement.ts";
import { decodeRequestId } from "../requestId.ts";
import { digestIn } from "./checks.ts";
import { judgeLeaf, type LeafVerdict, type PageTerms, refuseSignature } from "./judgeLeaf.ts";
import { recoverSigner } from "./signatures.ts";
import { ACCEPTED, type SettlementState } from "./verdict.ts";

/** That two receipts conflict; or the error that the contract reverts with, of two that show nothing. */
export type ConflictVerdict =
  | "ConflictingReceipt"
  | "PageSettlement_LeafIsBad"
  | "PageSettlement_NoConflict"
  | Extract<LeafVerdict, `${string}_${string}`>;

/**
 * What `PageSettlement.challengeConflict` says of a second result that was signed for a leaf's request, commitments apart. A
 * leaf that is wrong by itself is challenged as that.
 */
export async function judgeConflict(parameters: {
  header: PageHeader;
  leaf: PageLeaf;
  other: InferenceResult;
  otherSignature: string;
  terms: PageTerms;
  state: Pick<SettlementState, "domain" | "now" | "versions" | "enclaves">;
}): Promise<ConflictVerdict> {
  const { header, leaf, other, otherSignature: signature, state } = parameters;
  const verdict = await judgeLeaf(parameters);
  if (verdict !== ACCEPTED) return isError(verdict) ? verdict : "PageSettlement_LeafIsBad";
  const { result } = leaf;
  const digest = digestIn(state, other);
  const isOfOne = other.requestId === result.requestId && other.teeId === result.teeId;
  if (!isOfOne || digest === digestIn(state, result)) return "PageSettlement_NoConflict";
  const isAhead = other.timestamp > state.now;
  const time = isAhead ? state.now : other.timestamp;
  const isSigned =
    header.kind === OPTIMISTIC
      ? recoverSigner({ digest, signature }) === getAddress(decodeRequestId(other.requestId).node)
      : await isEnclaves({ other, digest, signature, time, state });
  return isSigned ? "ConflictingReceipt" : "PageSettlement_NoConflict";
}

/** By a key of the enclave's; a session key's at a time at which it was valid. */
async function isEnclaves(parameters: {
  other: InferenceResult;
  digest: string;
  signature: string;
  time: bigint;
  state: Pick<SettlementState, "enclaves">;
}): Promise<boolean> {
  const enclave = parameters.state.enclaves?.get(parameters.other.teeId);
  if (enclave === undefined) return false;
  return (await refuseSignature({ ...parameters, enclave })) === undefined;
}

const isError = (verdict: LeafVerdict): verdict is Extract<LeafVerdict, `${string}_${string}`> =>
  verdict.includes("_");
