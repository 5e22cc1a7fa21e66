import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { hashWords } from "@haca/protocol/inferenceResult";
import { ZeroHash } from "ethers";
import type { Row } from "../storage/database.ts";

/**
 * Life of a job: accepted, proven, submitted, settled; or failed, before it is settled. A result that an enclave has
 * signed has its evidence with it, and begins as proven, as does one that is to be proved on demand; in a page it is pending before it is settled. Edges lead back. A submitted
 * job whose nonce another transaction took is proven again, and so is one whose transaction, shared with others, was
 * mined without settling it, and one whose page was rejected. A settled one that a reorganisation took away is submitted again where the settlement was the
 * node's, and proven again where it was somebody else's. One that was to be proved on demand, and can be in no page, is accepted
 * again, to be proved and settled alone. `worker/test/jobLife.tree` has all of them.
 */
export const JOB_STATES = [
  "accepted",
  "proven",
  "submitted",
  "pending",
  "settled",
  "failed",
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A transaction as it was signed and recorded, before it was sent. */
export type RecordedTransaction = {
  hash: string;
  /** nonce of the account, not of a request */
  nonce: number;
  raw: string;
  /** since it was signed, by the database's clock, which is the one that all processes share */
  ageMs: number;
  /** since it was last taken by an endpoint, by the same clock; null where it never was */
  silentMs: number | null;
  blockNumber: number | null;
  blockHash: string | null;
  gasUsed: bigint | null;
};

/** What is known of a result that an enclave has signed in place of its words. */
export type EnclaveAnswer = { teeId: string; inputHash: string; outputHash: string };

/** The words that a job's one input word is a commitment to, with the salt that the requester drew, where the model takes one. */
export type HiddenInput = { words: readonly bigint[]; salt?: bigint | undefined };

/** What a job is made of when it is accepted. */
export type NewJob = {
  requestId: string;
  /** nonce of the request: the lower 96 bits of its id */
  nonce: bigint;
  model: string;
  /** `major.minor` */
  version: string;
  versionId: string;
  requester: string;
  price: bigint;
  /** unix seconds */
  timestamp: bigint;
  /** what a proof shows of the input: its words, or one commitment to them */
  inputWords: readonly bigint[];
  outputWords: readonly bigint[];
  /** over the EIP-712 digest of the result: the node's, or the enclave's, which is its evidence then */
  signature: string;
  /** absent for a result that a proof is made of; present, there are no words */
  enclave?: EnclaveAnswer | undefined;
  /** what the commitment is to; only where the job is made: `readHiddenInput` has it afterwards */
  hidden?: HiddenInput;
  /** goes into an optimistic page: a proof of it is made on demand, and settles nothing by itself; absent: no */
  isOptimistic?: boolean;
};

export type Job = NewJob & {
  state: JobState;
  /** 256 bytes of hex, as the contracts read it */
  proof: string | null;
  timings: { witnessMs: number; proveMs: number } | null;
  transaction: RecordedTransaction | null;
  failure: { code: string; message: string } | null;
  attempts: number;
  /** how often a process took the job on, before the one at hand, and died over it or beside it */
  claims: number;
  /** how often of these it was tried on its own */
  claimsAlone: number;
  lastError: string | null;
  /** the page that has the result, or had it until it was rejected */
  pageId: string | null;
  times: Record<Exclude<JobState, "pending"> | "finalised", Date | null>;
};

/** The typed message of a job. */
export function resultOf(job: NewJob): InferenceResult {
  const { enclave } = job;
  return {
    modelVersion: job.versionId,
    inputHash: enclave?.inputHash ?? hashWords(job.inputWords),
    outputHash: enclave?.outputHash ?? hashWords(job.outputWords),
    requester: job.requester,
    requestId: job.requestId,
    price: job.price,
    timestamp: job.timestamp,
    teeId: enclave?.teeId ?? ZeroHash,
  };
}

const text = (value: unknown): string => value as string;
const textOrNull = (value: unknown): string | null => value as string | null;
const numberOrNull = (value: unknown): number | null => (value === null ? null : Number(value));
const bigintOrNull = (value: unknown): bigint | null =>
  value === null ? null : BigInt(value as string);
const dateOrNull = (value: unknown): Date | null => value as Date | null;
const words = (value: unknown): bigint[] => (value as string[]).map(BigInt);

function enclaveOf(row: Row): EnclaveAnswer | undefined {
  const teeId = textOrNull(row.tee_id);
  if (teeId === null) return undefined;
  return { teeId, inputHash: text(row.input_hash), outputHash: text(row.output_hash) };
}

/** A row of the view `job_records`. */
export function jobOf(row: Row): Job {
  const transactionHash = textOrNull(row.transaction_hash);
  const failureCode = textOrNull(row.failure_code);
  const witnessMs = numberOrNull(row.witness_ms);
  return {
    requestId: text(row.request_id),
    nonce: BigInt(text(row.nonce)),
    state: row.state as JobState,
    model: text(row.model),
    version: text(row.version),
    versionId: text(row.version_id),
    requester: text(row.requester),
    price: BigInt(text(row.price)),
    timestamp: BigInt(text(row.answered_at)),
    inputWords: words(row.input_words),
    outputWords: words(row.output_words),
    signature: text(row.signature),
    enclave: enclaveOf(row),
    isOptimistic: row.is_optimistic === true,
    proof: textOrNull(row.proof),
    timings: witnessMs === null ? null : { witnessMs, proveMs: numberOrNull(row.prove_ms) ?? 0 },
    transaction:
      transactionHash === null
        ? null
        : {
            hash: transactionHash,
            nonce: Number(row.transaction_nonce),
            raw: text(row.raw),
            ageMs: Number(row.age_ms),
            silentMs: numberOrNull(row.silent_ms),
            blockNumber: numberOrNull(row.block_number),
            blockHash: textOrNull(row.block_hash),
            gasUsed: bigintOrNull(row.gas_used),
          },
    failure:
      failureCode === null
        ? null
        : { code: failureCode, message: textOrNull(row.failure_message) ?? "" },
    attempts: Number(row.attempts),
    claims: Number(row.claims),
    claimsAlone: Number(row.claims_alone),
    lastError: textOrNull(row.last_error),
    pageId: textOrNull(row.page_id),
    times: {
      accepted: dateOrNull(row.accepted_at),
      proven: dateOrNull(row.proven_at),
      submitted: dateOrNull(row.submitted_at),
      settled: dateOrNull(row.settled_at),
      failed: dateOrNull(row.failed_at),
      finalised: dateOrNull(row.finalised_at),
    },
  };
}
