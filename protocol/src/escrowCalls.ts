import { Interface, type Log } from "ethers";
import { type EscrowTerms, escrowJobId } from "./inferenceEscrow.ts";

const TERMS =
  "(address node, address payee, bytes32 requestHash, address token, uint16 feeBps, uint8 kinds, uint32 captureWindow)";
const JOB = `(${TERMS} terms, address payer, uint256 nonce, uint128 amount, uint64 deadline, address feeReceiver)`;
const PAYMENT =
  "(address payer, uint128 amount, uint256 nonce, uint256 validAfter, uint256 validUntil, bytes signature)";
const RESULT =
  "(bytes32 modelVersion, bytes32 inputHash, bytes32 outputHash, address requester, bytes32 requestId, uint256 price, uint64 timestamp, bytes32 teeId)";
const HEADER =
  "(uint8 kind, bytes32 teeId, uint256 ledgerPage, uint256 bitmap, bytes32 root, bytes32 blobId, address proposer, uint96 fee)";
const LEAF = `(uint8 index, ${RESULT} result, bytes signature, bytes32[8] siblings)`;

/** What is called of `InferenceEscrow`, and the event by which its jobs are known. */
export const escrowInterface = new Interface([
  `function open(${TERMS} terms, ${PAYMENT} payment) returns (bytes32 jobId)`,
  `function capture(${JOB} job, ${RESULT} result, uint8 kind)`,
  `function captureFromPage(${JOB} job, ${HEADER} header, ${LEAF} leaf)`,
  `function cancel(${JOB} job)`,
  `function refund(${JOB} job)`,
  "function statusOf(bytes32 jobId) view returns (uint8)",
  "function fee() view returns (uint16 feeBps, address receiver)",
  `event JobOpened(bytes32 indexed jobId, address indexed node, bytes32 indexed requestHash, ${JOB} job)`,
]);

/** As `IInferenceEscrow.JobStatus` numbers them. */
export const JOB_STATUS = ["none", "open", "captured", "refunded", "cancelled"] as const;
export type JobStatus = (typeof JOB_STATUS)[number];

/** A job, as callers of the escrow bring it. */
export type EscrowJob = {
  terms: EscrowTerms;
  payer: string;
  nonce: bigint;
  amount: bigint;
  /** unix seconds */
  deadline: bigint;
  feeReceiver: string;
};

/** The job of a permit, as the log of its opening has it; undefined where none of the logs is of it. */
export function jobOpenedIn(parameters: {
  logs: readonly Log[];
  escrow: string;
  payer: string;
  nonce: bigint;
}): EscrowJob | undefined {
  const { escrow, logs } = parameters;
  const topic = escrowInterface.getEvent("JobOpened")?.topicHash;
  const jobId = escrowJobId(parameters);
  const log = logs.find(
    ({ address, topics }) =>
      address.toLowerCase() === escrow.toLowerCase() && topics[0] === topic && topics[1] === jobId,
  );
  const args = log && escrowInterface.parseLog(log)?.args;
  if (args === undefined) return undefined;
  const { job } = args;
  const { amount, deadline, feeReceiver, nonce, payer, terms } = job.toObject();
  return { terms: terms.toObject(), payer, nonce, amount, deadline, feeReceiver };
}
