import { describeError, RefusedByEndpointError } from "../../errors.ts";
import type { Job } from "../../jobs/job.ts";
import { ANY_NUMBER, type Claims, leaseJobs, releaseJob, type Stage } from "../../jobs/leases.ts";
import type { SettleContext } from "./settleContext.ts";

/** Jobs that one step takes at a time. */
const LIMIT = 32;
const LEASE_SECONDS = 120;
/** Rest of a job that the endpoint refused. */
const REFUSED_SECONDS = 5;
const UNHARMED: Claims = { from: 0, to: 0 };
const CLAIMED_BEFORE: Claims = { from: 1, to: ANY_NUMBER };

type Step = {
  context: SettleContext;
  stage: Stage;
  /** returns whether it moved the job on */
  handle: (job: Job) => Promise<boolean>;
};

/**
 * Leases the due jobs of a stage, hands them to `handle` one after another, and gives every lease back. A job that the
 * endpoint refuses rests, and the others go on; every other error ends the step: it is the endpoint's, or the
 * database's, and meets the next job too. Jobs over which a process died come last and one by one, so that one which
 * does it again has kept nobody from his turn. Returns how many jobs `handle` moved on.
 */
export async function forEachLeased(step: Step): Promise<number> {
  let moved = await handleAll({ step, jobs: await lease({ step, claims: UNHARMED }) });
  for (let i = 0; i < LIMIT && !step.context.signal.aborted; i++) {
    const jobs = await lease({ step, claims: CLAIMED_BEFORE });
    if (jobs.length === 0) break;
    moved += await handleAll({ step, jobs });
  }
  return moved;
}

async function lease(parameters: { step: Step; claims: Claims }): Promise<Job[]> {
  const { step, claims } = parameters;
  const { database, owner } = step.context;
  const alone = claims === CLAIMED_BEFORE;
  const limit = alone ? 1 : LIMIT;
  const leaseSeconds = LEASE_SECONDS;
  return await leaseJobs({
    database,
    owner,
    stage: step.stage,
    limit,
    leaseSeconds,
    claims,
    alone,
  });
}

async function handleAll(parameters: { step: Step; jobs: readonly Job[] }): Promise<number> {
  const { handle, context } = parameters.step;
  const { database, logger, owner } = context;
  let moved = 0;
  let failure: { error: unknown } | undefined;
  for (const job of parameters.jobs) {
    const { requestId } = job;
    if (failure !== undefined || context.signal.aborted) {
      await releaseJob({ database, owner, requestId });
      continue;
    }
    try {
      if (await handle(job)) moved += 1;
      await releaseJob({ database, owner, requestId });
    } catch (caught) {
      const error = describeError(caught);
      if (caught instanceof RefusedByEndpointError) {
        logger.warn({ requestId, code: caught.code, error }, "refused by the endpoint: later");
        const delaySeconds = REFUSED_SECONDS;
        await releaseJob({ database, owner, requestId, error, delaySeconds });
        continue;
      }
      failure = { error: caught };
      await releaseJob({ database, owner, requestId, error });
    }
  }
  if (failure !== undefined) throw failure.error;
  return moved;
}
