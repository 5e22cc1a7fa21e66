import { BaseError } from "@haca/protocol/baseError";
import { encodeProof } from "@haca/protocol/groth16";
import { modeOf } from "@haca/protocol/inputMode";
import type { Logger } from "pino";
import type { Chain } from "../../chain/chain.ts";
import { describeError, NonRetryableError } from "../../errors.ts";
import { recordDemandedProof } from "../../jobs/demands.ts";
import { readHiddenInput } from "../../jobs/hiddenInputs.ts";
import type { Job } from "../../jobs/job.ts";
import {
  ANY_NUMBER,
  type Claims,
  hasSuspects,
  leaseJobs,
  releaseJobs,
  renewLease,
  unclaimJob,
} from "../../jobs/leases.ts";
import { recordFailure, recordProof } from "../../jobs/proofs.ts";
import type { Metrics } from "../../metrics/createMetrics.ts";
import type { ServedModel } from "../../models/servedModel.ts";
import type { Prover } from "../../prover/prover.ts";
import { backoffMs } from "../../repeat.ts";
import type { Database } from "../../storage/database.ts";
import { DatabaseAwayError } from "../../storage/databaseFailure.ts";
import type { Bench, Place } from "./bench.ts";
import { proveJob } from "./proveJob.ts";

const LEASE_SECONDS = 60;
const MAXIMUM_ATTEMPTS = 5;
/** Deaths of a process after which a job that was in its hands is under suspicion, and tried on its own. */
const SUSPECT_CLAIMS = 2;
/** Deaths of a process that worked on nothing but this job, after which it is given up. */
const MAXIMUM_ALONE = 3;
const FREE_OF_SUSPICION: Claims = { from: 0, to: SUSPECT_CLAIMS - 1 };
const SUSPECTS: Claims = { from: SUSPECT_CLAIMS, to: ANY_NUMBER };
/** No error of the job, and none of its attempts: more are asked for than the prover takes. */
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
  /** shared by the passes of one process */
  bench: Bench;
  metrics: Metrics;
  logger: Logger;
  /** called when a job is ready to be settled */
  onProven: () => void;
};

/**
 * One pass of the `prove` role: one job, the oldest of a model that this worker has, but a proof that is demanded before all
 * others. Returns whether there was one.
 *
 * A demand does not wait for what is in work in this process: that is interrupted, and goes back to the queue as if nobody had
 * taken it. So that there is somebody to see the demand, one of the loops takes nothing else.
 *
 * A job can end the whole process, by its memory for instance, and nothing is left to note an attempt then: its claims
 * tell. Jobs that were merely in work beside it have the same claims, so each of them is tried with no company before
 * anything is held against it.
 */
export function createProvePass(
  context: ProveContext,
  taking: "all" | "demanded" = "all",
): () => Promise<boolean> {
  const take = taking === "all" ? takeJob : takeDemanded;
  return async () => {
    const taken = await take(context);
    if (taken === undefined) return false;
    const { job, place } = taken;
    try {
      if (job.claimsAlone >= MAXIMUM_ALONE && place.standing !== "demanded") {
        await giveUp({ context, job });
      } else await work({ context, ...taken });
    } finally {
      place.leave();
    }
    return true;
  };
}

/** A job, and its place at the bench. */
type Taken = { job: Job; place: Place };

async function takeJob(context: ProveContext): Promise<Taken | undefined> {
  const { bench, database } = context;
  const demanded = await takeDemanded(context);
  if (demanded !== undefined) return demanded;
  const versionIds = versionIdsOf(context);
  const isDue = await hasSuspects({ database, claims: SUSPECT_CLAIMS, versionIds });
  // A suspect that is due gets its turn as soon as the others have finished: nothing new is taken until then.
  const isWaiting = isDue && !bench.isEmpty;
  if (bench.has("demanded") || bench.has("alone") || isWaiting) return undefined;
  const place = bench.enter(isDue ? "alone" : "ordinary");
  try {
    const [job] = await leaseJobs({
      database,
      owner: context.owner,
      stage: { state: "accepted" },
      limit: 1,
      leaseSeconds: LEASE_SECONDS,
      versionIds,
      claims: isDue ? SUSPECTS : FREE_OF_SUSPICION,
      alone: isDue,
    });
    if (job !== undefined) return { job, place };
  } catch (error) {
    place.leave();
    throw error;
  }
  place.leave();
  return undefined;
}

/** A job whose proof is demanded, however many processes died over it: the deposit is lost without it. */
async function takeDemanded(context: ProveContext): Promise<Taken | undefined> {
  const { bench, database, owner } = context;
  const [job] = await leaseJobs({
    ...{ database, owner, stage: { state: "pending" }, limit: 1, leaseSeconds: LEASE_SECONDS },
    versionIds: versionIdsOf(context),
  });
  return job && { job, place: bench.enter("demanded") };
}

const versionIdsOf = ({ models }: ProveContext): string[] =>
  models.flatMap(({ provable }) => provable);

type Working = Taken & { context: ProveContext };

async function giveUp(parameters: { context: ProveContext; job: Job }): Promise<void> {
  const { context, job } = parameters;
  const { database, logger } = context;
  const { claims, claimsAlone, requestId } = job;
  const code = "prover.processDied";
  const message = `${claims} processes died with this job in work, ${claimsAlone} of them with no other`;
  logger.error({ requestId, code, claims, claimsAlone }, "given up: it ends the process");
  await recordFailure({ database, requestId, from: "accepted", code, message });
}

async function work({ context, job, place }: Working): Promise<void> {
  const { database, owner } = context;
  const { requestId } = job;
  if (job.claims > 0) {
    const { claims, claimsAlone } = job;
    context.logger.warn({ requestId, claims, claimsAlone }, "a process died with this job in work");
  }
  const renewal = setInterval(
    () => {
      renewLease({ database, owner, requestId, leaseSeconds: LEASE_SECONDS }).catch(
        (error: unknown) => context.logger.warn({ requestId, err: error }, "lease not renewed"),
      );
    },
    (LEASE_SECONDS * 1000) / 3,
  );
  try {
    await proveAndRecord({ context, job, place });
  } catch (error) {
    if (place.signal.aborted) await giveWay({ context, job, place });
    else await handleFailure({ context, job, place, error });
  } finally {
    clearInterval(renewal);
  }
}

async function proveAndRecord({ context, job, place }: Working): Promise<void> {
  const { chain, database, logger, metrics, models, prover } = context;
  const { requestId } = job;
  const model = models.find(({ provable }) => provable.includes(job.versionId));
  if (model === undefined) return;
  logger.info({ requestId, model: job.model, version: job.version }, "proving");
  const { domain } = chain;
  const { signal, standing } = place;
  const hidden =
    modeOf(model.manifest) === "packed"
      ? undefined
      : await readHiddenInput({ database, requestId });
  const { backend, proof, timings } = await proveJob({
    ...{ job, hidden, model, prover, domain, signal },
  });
  metrics.witnessSeconds.observe({ model: job.model }, timings.witnessMs / 1000);
  metrics.proveSeconds.observe({ model: job.model }, timings.proveMs / 1000);
  const encoded = encodeProof(proof);
  if (standing === "demanded") {
    await recordDemandedProof({ database, requestId, proof: encoded, owner: context.owner });
  } else await recordProof({ database, requestId, proof: encoded, timings });
  metrics.proofs.inc({ backend });
  const [witnessMs, proveMs] = [timings.witnessMs, timings.proveMs].map(Math.round);
  logger.info({ requestId, backend, witnessMs, proveMs }, "proven");
  context.onProven();
}

/** Gives a job back that made room for a demand. Whatever its proof failed with says nothing about the job. */
async function giveWay({ context, job, place }: Working): Promise<void> {
  const { database, logger, owner } = context;
  const { requestId } = job;
  await unclaimJob({ database, owner, requestId, alone: place.standing === "alone" });
  logger.info({ requestId }, "interrupted: a proof that is demanded goes first");
}

async function handleFailure(parameters: Working & { error: unknown }): Promise<void> {
  const { context, job, place, error } = parameters;
  const { database, logger, owner } = context;
  const { requestId } = job;
  const message = describeError(error);
  // The proof is lost, not refused: the job's lease is left for later, with its attempts.
  if (error instanceof DatabaseAwayError) throw error;
  const code = error instanceof BaseError ? error.code : "prover.failed";
  if (code === BUSY) {
    const delaySeconds = RETRY_DELAY.baseMs / 1000;
    logger.info({ requestId, code, delaySeconds }, "the prover has enough to do: later");
    const requestIds = [requestId];
    await releaseJobs({ database, owner, requestIds, error: message, delaySeconds });
    return;
  }
  const attempts = job.attempts + 1;
  const isOver = error instanceof NonRetryableError || attempts >= MAXIMUM_ATTEMPTS;
  if (isOver && place.standing !== "demanded") {
    logger.error({ requestId, code, attempts, error: message }, "proving failed");
    await recordFailure({ database, requestId, from: "accepted", code, message });
    return;
  }
  const delaySeconds = backoffMs({ ...RETRY_DELAY, failures: attempts }) / 1000;
  logger.warn({ requestId, code, attempts, delaySeconds, error: message }, "proving again later");
  await releaseJobs({
    database,
    owner,
    requestIds: [requestId],
    error: message,
    delaySeconds,
    countsAsAttempt: true,
  });
}
