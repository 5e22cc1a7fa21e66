import { blobIdToLegacyBytes } from "@haca/protocol/blobs/blobId";
import { encodeLegacyBlob } from "@haca/protocol/blobs/legacyBlob";
import { Interface } from "ethers";
import type { RelayedCall } from "./relayedCalls.ts";
import type { Submission } from "./submission.ts";

/** What the public network's workers call; `LegacySettlement` answers it. */
const relay = new Interface([
  "function batchSettle(bytes32 merkleRoot, uint256 batchSize, bytes walrusBlobId)",
  "function settleIndividual(bytes32 teeId, bytes32 inputHash, bytes32 outputHash, uint256 timestamp, address ethAddress, bytes walrusBlobId, bytes signature)",
]);

/** What the contract says where somebody else has settled the same before. */
export const ALREADY_SETTLED = "Already settled";

/** The content that stands behind a call, the same however often it is made. */
export function encodeCallBlob({
  kind,
  submissions,
}: Pick<RelayedCall, "kind" | "submissions">): Uint8Array {
  return kind === "batch" ? encodeLegacyBlob(submissions) : encodeIndividual(onlyOne(submissions));
}

/** Calldata of a call whose blob is stored. */
export function encodeCall(parameters: { call: RelayedCall; blobId: string }): string {
  const { call, blobId } = parameters;
  const id = blobIdToLegacyBytes(blobId);
  if (call.kind === "batch") {
    const values = [call.merkleRoot, call.submissions.length, id];
    return relay.encodeFunctionData("batchSettle", values);
  }
  const { individual, inputHash, outputHash, teeId, teeSignature, timestamp } = onlyOne(
    call.submissions,
  );
  return relay.encodeFunctionData("settleIndividual", [
    ...[teeId, inputHash, outputHash, timestamp],
    ...[individual?.ethAddress, id, teeSignature],
  ]);
}

/** Hashes stand at top level, where the public network's readers look for them first. */
function encodeIndividual(submission: Submission): Uint8Array {
  const { individual, inputHash, outputHash, teeId, teeSignature, timestamp } = submission;
  const blob = {
    input: JSON.parse(individual?.input ?? "null"),
    output: JSON.parse(individual?.output ?? "null"),
    inputHash,
    outputHash,
    teeSignature,
    teeId,
    timestamp: timestamp.toString(),
    ethAddress: individual?.ethAddress,
  };
  return new TextEncoder().encode(JSON.stringify(blob));
}

function onlyOne(submissions: readonly Submission[]): Submission {
  const [submission, ...more] = submissions;
  if (submission !== undefined && more.length === 0) return submission;
  throw new Error(`an individual settlement is of one submission, not ${submissions.length}`);
}
