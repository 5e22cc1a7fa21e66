import { BaseError } from "@haca/protocol/baseError";
import { encodeProof } from "@haca/protocol/groth16";
import type { Logger } from "pino";
import { backoffMs } from "../backoff.ts";
import type { Chain } from "../chain/chain.ts";
import type { CrashPoint } from "../crashPoint.ts";
import type { Database } from "../database/database.ts";
import { DatabaseAwayError } from "../database/databaseFailure.ts";
import { describeError, NonRetryableError } from "../errors.ts";
import type { Metrics } from "../metrics/createMetrics.ts";
import type { ServedModel } from "../models/servedModel.ts";
import type { Prover } from "../prover/prover.ts";
import type { Job } from "../queue/job.ts";
import { leaseJobs } from "../queue/leaseJobs.ts";
import { recordFailure } from "../queue/recordFailure.ts";
import { recordProof } from "../queue/recordProof.ts";
import { releaseJob } from "../queue/releaseJob.ts";
import { renewLease } from "../queue/renewLease.ts";
import { proveJob } from "./proveJob.ts";

const LEASE_SECONDS = 60;
const MAXIMUM_ATTEMPTS = 5;
/** No fault of the job, and none of its attempts: more are asked for than the prover takes. */
const BUSY = "prover.busy";
const RETRY_DELAY = { baseMs: 1_000, maximumMs: 60_000 };

/** What the `prove` role works with. */
export type ProveContext = {
  database: Database;
  /** only the domain is used: proving needs no endpoint */
  chain: Pick<Chain, "domain">;
  models: readonly ServedModel[];
  prover: Prover;
  owner: string;
  crashAfter: CrashPoint;
  metrics: Metrics;
  logger: Logger;
  /** called when a job is ready to be settled */
  onProven: () => void;
};

/**
 * One pass of the `prove` role: one job, the oldest of a model that this worker has. Returns whether there
 * was one.
 */
export function createProvePass(context: ProveContext): () => Promise<boolean> {
  const versionIds = context.models.map(({ versionId }) => versionId);
  return async () => {
    const { database, owner } = context;
    const [job] = await leaseJobs({
      database,
      owner,
      stage: { state: "accepted", hasTransaction: false },
      limit: 1,
      leaseSeconds: LEASE_SECONDS,
      versionIds,
    });
    if (job === undefined) return false;
    const { requestId } = job;
    const renewal = setInterval(
      () => {
        renewLease({ database, owner, requestId, leaseSeconds: LEASE_SECONDS }).catch(
          (error: unknown) => context.logger.warn({ requestId, err: error }, "lease not renewed"),
        );
      },
      (LEASE_SECONDS * 1000) / 3,
    );
    try {
      await proveAndRecord({ context, job });
    } catch (error) {
      await handleFailure({ context, job, error });
    } finally {
      clearInterval(renewal);
    }
    return true;
  };
}

async function proveAndRecord(parameters: { context: ProveContext; job: Job }): Promise<void> {
  const { context, job } = parameters;
  const { chain, database, logger, metrics, models, prover } = context;
  const { requestId } = job;
  const model = models.find(({ versionId }) => versionId === job.versionId);
  if (model === undefined) return;
  logger.info({ requestId, model: job.model, version: job.version }, "proving");
  const { backend, proof, timings } = await proveJob({ job, model, prover, domain: chain.domain });
  metrics.witnessSeconds.observe({ model: job.model }, timings.witnessMs / 1000);
  metrics.proveSeconds.observe({ model: job.model }, timings.proveMs / 1000);
  await recordProof({ database, requestId, proof: encodeProof(proof), timings });
  metrics.proofs.inc({ backend });
  context.crashAfter("proven");
  const [witnessMs, proveMs] = [timings.witnessMs, timings.proveMs].map(Math.round);
  logger.info({ requestId, backend, witnessMs, proveMs }, "proven");
  context.onProven();
}

async function handleFailure(parameters: {
  context: ProveContext;
  job: Job;
  error: unknown;
}): Promise<void> {
  const { context, job, error } = parameters;
  const { database, logger, owner } = context;
  const { requestId } = job;
  const message = describeError(error);
  // The proof is lost, not refused: the job's lease is left for later, with its attempts.
  if (error instanceof DatabaseAwayError) throw error;
  const code = error instanceof BaseError ? error.code : "prover.failed";
  if (code === BUSY) {
    const delaySeconds = RETRY_DELAY.baseMs / 1000;
    logger.info({ requestId, code, delaySeconds }, "the prover has enough to do: later");
    await releaseJob({ database, owner, requestId, error: message, delaySeconds });
    return;
  }
  const attempts = job.attempts + 1;
  if (error instanceof NonRetryableError || attempts >= MAXIMUM_ATTEMPTS) {
    logger.error({ requestId, code, attempts, error: message }, "proving failed");
    await recordFailure({ database, requestId, from: "accepted", code, message });
    context.crashAfter("failed");
    return;
  }
  const delaySeconds = backoffMs({ ...RETRY_DELAY, failures: attempts }) / 1000;
  logger.warn({ requestId, code, attempts, delaySeconds, error: message }, "proving again later");
  await releaseJob({
    database,
    owner,
    requestId,
    error: message,
    delaySeconds,
    countsAsAttempt: true,
  });
}
