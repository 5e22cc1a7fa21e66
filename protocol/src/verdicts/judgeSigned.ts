import { getAddress, TypedDataEncoder, toBeHex } from "ethers";
import type { InferenceResult } from "../inferenceResult.ts";
import { PROPOSAL_TYPES } from "../proposal.ts";
import { nodeOfEnclave, placeInLedger } from "../requestId.ts";
import {
  digestIn,
  nodeOf,
  refuseConsent,
  refuseEnclave,
  refuseTaken,
  refuseTime,
  refuseVersion,
  sessionThatSigned,
} from "./checks.ts";
import { isSignedByKey } from "./signatures.ts";
import {
  ACCEPTED,
  type Consent,
  isWithin,
  type Refusal,
  type SettlementState,
  type Verdict,
} from "./verdict.ts";

/** `Verification` of the contracts. */
const VANILLA = 0;
const NO_BLOB = toBeHex(0n, 32);

/** What `settleTee` says of a result that an enclave signed. Whoever sends it does not matter. */
export async function judgeTee(parameters: {
  result: InferenceResult;
  /** the enclave's, or a session key's */
  signature: string;
  state: SettlementState;
}): Promise<Verdict> {
  const { result, signature, state } = parameters;
  const isWrongNode = nodeOf(result.requestId) !== nodeOfEnclave(result.teeId);
  return (
    refuseTime(result.timestamp, state) ??
    refuseVersion(result, state) ??
    (isWrongNode ? "InferenceSettlement_WrongNode" : undefined) ??
    refuseTaken(result.requestId, state.occupied) ??
    (await refuseSignature({ result, signature, state })) ??
    ACCEPTED
  );
}

/** What `settleVanilla` says of a result that nobody vouches for but the node. */
export function judgeVanilla(parameters: {
  result: InferenceResult;
  /** of the proposal that the node signed, in unix seconds */
  deadline: bigint;
  /** its signature is over a `Proposal` of the one result */
  consent: Consent;
  state: SettlementState;
}): Verdict {
  const { result, state } = parameters;
  return (
    refuseEnclave(result) ??
    refuseTime(result.timestamp, state) ??
    refuseVersion(result, state) ??
    refuseProposal(parameters) ??
    refuseTaken(result.requestId, state.occupied, state.vanilla) ??
    ACCEPTED
  );
}

async function refuseSignature(parameters: {
  result: InferenceResult;
  signature: string;
  state: SettlementState;
}): Promise<Refusal | undefined> {
  const { result, signature, state } = parameters;
  if (state.enclaves === undefined) return "InferenceSettlement_NoTEERegistry";
  const enclave = state.enclaves.get(result.teeId);
  // A node's clock may be ahead; nobody was in service in the future.
  const isAhead = result.timestamp > state.now;
  const time = isAhead ? state.now : result.timestamp;
  if (enclave === undefined || !enclave.service.some((span) => isWithin(span, time))) {
    return "InferenceSettlement_NotInService";
  }
  const digest = digestIn(state, result);
  const session = sessionThatSigned({ enclave, digest, signature });
  if (session?.signsResults && isWithin(session, time)) return undefined;
  const { signingKey } = enclave;
  const isSigned = await isSignedByKey({ signingKey, message: digest, signature });
  return isSigned ? undefined : "InferenceSettlement_EnclaveSignatureInvalid";
}

function refuseProposal(parameters: {
  result: InferenceResult;
  deadline: bigint;
  consent: Consent;
  state: SettlementState;
}): Refusal | undefined {
  const { result, deadline, consent, state } = parameters;
  const node = nodeOf(result.requestId);
  if (getAddress(consent.sender) === node) return undefined;
  if (state.now > deadline) return "InferenceSettlement_ProposalExpired";
  const { page, bit } = placeInLedger(result.requestId);
  const digest = TypedDataEncoder.hash(state.domain, PROPOSAL_TYPES, {
    ...{ kind: VANILLA, page, bitmap: bit, blobId: NO_BLOB, deadline },
    root: digestIn(state, result),
  });
  return refuseConsent({ node, digest, consent });
}
