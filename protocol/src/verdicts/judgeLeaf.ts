import { getAddress } from "ethers";
import type { InferenceResult } from "../inferenceResult.ts";
import {
  OPTIMISTIC,
  type PAGE_REASONS,
  type PageHeader,
  type PageLeaf,
} from "../pageSettlement.ts";
import { decodeRequestId, requestIdAt } from "../requestId.ts";
import { EMPTY_LEAF, resultLeaf, verifyResultPageProof } from "../resultPage.ts";
import { digestIn, MAXIMUM_CLOCK_SKEW, sessionThatSigned } from "./checks.ts";
import { isSignedByKey, recoverSigner } from "./signatures.ts";
import { ACCEPTED, type EnclaveState, isWithin, type SettlementState } from "./verdict.ts";

/** As of when a page is judged: as it was proposed, or as it would be now. */
export type PageTerms = {
  /** unix seconds; of a page that was not proposed, now */
  proposedAt: bigint;
  isProposed: boolean;
  /** seconds */
  resultWindow: bigint;
};

type Reason = Exclude<
  (typeof PAGE_REASONS)[number],
  "None" | "ConflictingReceipt" | "DataWithheld" | "DemandUnanswered"
>;

/** What is wrong with a leaf; or the error that the contract reverts with, of a leaf that there is no verdict on. */
export type LeafVerdict =
  | typeof ACCEPTED
  | Reason
  | "PageSettlement_NotIncluded"
  | "PageSettlement_NotTaken"
  | "TEERegistry_NodeUnknown";

/** What a verdict on a leaf depends on. */
export type PageState = Pick<SettlementState, "domain" | "versions" | "enclaves">;

/**
 * What `PageSettlement.judgeLeaf` says of a leaf: its reason, or that it is good. Who was in service is as the registry says
 * now, since a ban counts for what was before it.
 */
export async function judgeLeaf(parameters: {
  header: PageHeader;
  leaf: PageLeaf;
  terms: PageTerms;
  state: PageState;
}): Promise<LeafVerdict> {
  const { header, leaf, terms, state } = parameters;
  const { index, result, signature, siblings } = leaf;
  if (((header.bitmap >> BigInt(index)) & 1n) === 0n) return "PageSettlement_NotTaken";
  const digest = digestIn(state, result);
  const isIncluded = (hash: string): boolean =>
    verifyResultPageProof({ root: header.root, leaf: hash, index, proof: siblings });
  if (!isIncluded(resultLeaf({ digest, signature }))) {
    return isIncluded(EMPTY_LEAF) ? "MalformedLeaf" : "PageSettlement_NotIncluded";
  }
  if (result.requestId !== requestIdAt({ ledgerPage: header.ledgerPage, index })) {
    return "MalformedLeaf";
  }
  if (result.teeId !== header.teeId) return "WrongNode";
  const judged = { result, signature, digest, terms, state };
  return header.kind === OPTIMISTIC ? judgeOptimistic(judged) : judgeResult(judged);
}

type Judged = {
  result: InferenceResult;
  signature: string;
  digest: string;
  terms: PageTerms;
  state: PageState;
};

/**
 * A node's own result, of which the proof can be demanded: everything is from before the second of the proposal. What the
 * model answers is not looked at.
 */
function judgeOptimistic({ result, signature, digest, terms, state }: Judged): LeafVerdict {
  const { proposedAt, resultWindow } = terms;
  const { timestamp, modelVersion, requestId } = result;
  if (timestamp >= proposedAt || proposedAt > timestamp + resultWindow) return "OutsideWindow";
  if (!isSignedByNode({ requestId, digest, signature })) return "InvalidSignature";
  const { admittedAt, deprecatedAt } = state.versions.get(modelVersion) ?? {};
  const isAdmitted = admittedAt !== undefined && admittedAt < proposedAt;
  const isDeprecated = deprecatedAt !== undefined && timestamp >= deprecatedAt;
  return isAdmitted && !isDeprecated ? ACCEPTED : "VersionInvalid";
}

/** Whether the node of a request has signed a digest itself. */
export function isSignedByNode(parameters: {
  requestId: string;
  digest: string;
  signature: string;
}): boolean {
  const { node } = decodeRequestId(parameters.requestId);
  return recoverSigner(parameters) === getAddress(node);
}

async function judgeResult(parameters: Judged): Promise<LeafVerdict> {
  const { result, signature, digest, state } = parameters;
  const { proposedAt, isProposed, resultWindow } = parameters.terms;
  const { timestamp, modelVersion } = result;
  if (timestamp > proposedAt + MAXIMUM_CLOCK_SKEW || proposedAt > timestamp + resultWindow) {
    return "OutsideWindow";
  }
  // What ends in the second of the proposal or later has not ended. A page that was not proposed will be after this second.
  const latest = isProposed ? proposedAt - 1n : proposedAt;
  const time = timestamp > latest ? latest : timestamp;
  const enclave = state.enclaves?.get(result.teeId);
  if (enclave === undefined) return "TEERegistry_NodeUnknown";
  const unsigned = await refuseSignature({ enclave, digest, signature, time });
  if (unsigned !== undefined) return unsigned;
  const version = state.versions.get(modelVersion);
  const { deprecatedAt } = version ?? {};
  if (version === undefined || (deprecatedAt !== undefined && time >= deprecatedAt)) {
    return "VersionInvalid";
  }
  return enclave.service.some((span) => isWithin(span, time)) ? ACCEPTED : "KeyNotInService";
}

/** Of a session key at a time that it is not valid at the signature is genuine, and it is the key that is not in service. */
export async function refuseSignature(parameters: {
  enclave: EnclaveState;
  digest: string;
  signature: string;
  time: bigint;
}): Promise<Reason | undefined> {
  const { enclave, digest, signature, time } = parameters;
  const session = sessionThatSigned({ enclave, digest, signature });
  if (session?.signsResults) return isWithin(session, time) ? undefined : "KeyNotInService";
  const { signingKey } = enclave;
  const isSigned = await isSignedByKey({ signingKey, message: digest, signature });
  return isSigned ? undefined : "InvalidSignature";
}
