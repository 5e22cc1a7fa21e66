import { teeRegistryAbi } from "@haca/protocol/abi";
import { explainRevert } from "@haca/protocol/explainRevert";
import { heartbeatMessage } from "@haca/protocol/teeMessages";
import { Interface, isError, type JsonRpcProvider } from "ethers";
import { requireAnswer } from "../../chain/chain.ts";
import { answerOf, rpcFailure } from "../../chain/rpcErrors.ts";
import { BadSubmissionError } from "./facilitatorErrors.ts";
import { messageHashOf, type Submission } from "./submission.ts";

export const registryInterface = new Interface(teeRegistryAbi);

/** Seconds by which an enclave's clock may be ahead of the chain's. */
const MAXIMUM_SKEW = 60n;

export type RegistryContext = {
  provider: JsonRpcProvider;
  /** address of the TEE registry */
  registry: string;
  /** oldest answer that is taken, in seconds */
  maximumAge: bigint;
};

/**
 * The only thing that a submission is judged by, since whoever asks is unknown: that the node was in service when it says
 * that it answered, and signed it. @throws BadSubmissionError; RetryableError where the endpoint fails
 */
export async function verifySubmission(parameters: {
  context: RegistryContext;
  submission: Submission;
}): Promise<void> {
  const { context, submission } = parameters;
  const { teeId, teeSignature, timestamp } = submission;
  const block = await answerOf(context.provider.getBlock("latest"));
  const latest = BigInt(block?.timestamp ?? 0);
  const now = BigInt(Math.max(Number(latest), Math.floor(Date.now() / 1000)));
  if (timestamp > now + MAXIMUM_SKEW) throw refused("tee_timestamp", "is in the future");
  if (timestamp + context.maximumAge < now) {
    throw refused("tee_timestamp", `is older than ${context.maximumAge} seconds`);
  }
  // The registry knows no future: an answer that is younger than the latest block is judged at that block.
  const at = timestamp < latest ? timestamp : latest;
  if ((await ask(context, "isActiveAt", [teeId, at])) !== true) {
    throw refused("tee_id", "is no node that was in service at that time");
  }
  const message = messageHashOf(submission);
  if ((await ask(context, "isSignedBy", [teeId, message, teeSignature])) !== true) {
    throw refused("tee_signature", "is not the node's signature of these hashes and this time");
  }
}

/**
 * Whether the registry would take a heartbeat. One that it has a newer one of would cost gas and change nothing, and
 * everybody can repeat those. @throws BadSubmissionError; RetryableError where the endpoint fails
 */
export async function verifyHeartbeat(parameters: {
  context: Omit<RegistryContext, "maximumAge">;
  teeId: string;
  timestamp: bigint;
  signature: string;
}): Promise<void> {
  const { context, teeId, timestamp, signature } = parameters;
  const message = heartbeatMessage({ teeId, timestamp });
  if ((await ask(context, "isSignedBy", [teeId, message, signature])) !== true) {
    throw new BadSubmissionError("signature", "is not the node's signature of this heartbeat");
  }
  const node = (await ask(context, "nodeOf", [teeId])) as { lastHeartbeatAt: bigint };
  if (timestamp > node.lastHeartbeatAt) return;
  throw new BadSubmissionError(
    "timestamp",
    `the registry has a heartbeat of ${node.lastHeartbeatAt}, which is not older`,
  );
}

/** One view of the registry. A revert is its refusal: of an id that it does not know, for instance. */
async function ask(
  context: Pick<RegistryContext, "provider" | "registry">,
  name: string,
  values: readonly unknown[],
): Promise<unknown> {
  const { provider, registry: to } = context;
  let answer: string;
  try {
    answer = await provider.call({ to, data: registryInterface.encodeFunctionData(name, values) });
  } catch (error) {
    if (!isError(error, "CALL_EXCEPTION") || error.data === null) throw rpcFailure(error);
    const { message } = explainRevert(error.data);
    throw new BadSubmissionError("registry", message, error);
  }
  requireAnswer({ answer, name, to });
  return registryInterface.decodeFunctionResult(name, answer)[0];
}

const refused = (field: string, reason: string): BadSubmissionError =>
  new BadSubmissionError(`x-settlement-data: ${field}`, reason);
