import { getAddress, toBeHex } from "ethers";
import { hashResult, type InferenceResult } from "../inferenceResult.ts";
import { decodeRequestId, placeInLedger } from "../requestId.ts";
import { recoverSigner } from "./signatures.ts";
import type {
  Consent,
  EnclaveState,
  Refusal,
  SessionState,
  SettlementState,
  VersionState,
} from "./verdict.ts";

/** What several kinds of settlement ask (`SettlementBase`). Each check says why it refuses, or nothing. */

/** How far a node's clock may be ahead of the chain's, in seconds. */
export const MAXIMUM_CLOCK_SKEW = 60n;

const NO_ENCLAVE = toBeHex(0n, 32);

export const refuseEnclave = ({ teeId }: InferenceResult): Refusal | undefined =>
  teeId === NO_ENCLAVE ? undefined : "InferenceSettlement_TeeIdNotZero";

export function refuseTime(timestamp: bigint, state: SettlementState): Refusal | undefined {
  const { now, settlementWindow } = state;
  if (timestamp > now + MAXIMUM_CLOCK_SKEW) return "InferenceSettlement_ResultFromFuture";
  return now > timestamp + settlementWindow ? "InferenceSettlement_ResultExpired" : undefined;
}

/** The node is the sender or has signed `digest`, with its own key or, where it is a contract, as that says. */
export function refuseConsent(parameters: {
  node: string;
  digest: string;
  consent: Consent;
}): Refusal | undefined {
  const { digest, consent } = parameters;
  const { signature, isTakenByCode = false } = consent;
  const [node, sender] = [getAddress(parameters.node), getAddress(consent.sender)];
  const isGiven = sender === node || recoverSigner({ digest, signature }) === node || isTakenByCode;
  return isGiven ? undefined : "InferenceSettlement_NodeSignatureInvalid";
}

/** @param bitmaps of ledger pages in which the request must not be */
export function refuseTaken(
  requestId: string,
  ...bitmaps: readonly ReadonlyMap<bigint, bigint>[]
): Refusal | undefined {
  const { page, bit } = placeInLedger(requestId);
  const isTaken = bitmaps.some((bitmap) => ((bitmap.get(page) ?? 0n) & bit) !== 0n);
  return isTaken ? "InferenceSettlement_AlreadySettled" : undefined;
}

/** Whether a version is known, and was not deprecated when the node answered. A key is not asked for. */
export function refuseVersion(
  { modelVersion, timestamp }: Pick<InferenceResult, "modelVersion" | "timestamp">,
  state: SettlementState,
): Refusal | undefined {
  const version = state.versions.get(modelVersion);
  if (version === undefined) return "InferenceSettlement_VersionUnknown";
  return refuseDeprecated(timestamp, version);
}

export const refuseDeprecated = (
  timestamp: bigint,
  { deprecatedAt }: VersionState,
): Refusal | undefined =>
  deprecatedAt !== undefined && timestamp >= deprecatedAt
    ? "InferenceSettlement_VersionDeprecated"
    : undefined;

/** The enclave's session key that a digest is signed with; nothing if it is another key or none. */
export function sessionThatSigned(parameters: {
  enclave: EnclaveState;
  digest: string;
  signature: string;
}): SessionState | undefined {
  const key = recoverSigner(parameters);
  return key === undefined ? undefined : parameters.enclave.sessions.get(key);
}

export const digestIn = (
  { domain }: Pick<SettlementState, "domain">,
  result: InferenceResult,
): string => hashResult({ domain, result });

export const nodeOf = (requestId: string): string => decodeRequestId(requestId).node;
