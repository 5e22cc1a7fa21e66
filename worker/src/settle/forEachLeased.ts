import { describeError } from "../errors.ts";
import type { Job } from "../queue/job.ts";
import { leaseJobs, type Stage } from "../queue/leaseJobs.ts";
import { releaseJob } from "../queue/releaseJob.ts";
import type { Settler } from "./settler.ts";

/** Jobs that one step takes at a time. */
const LIMIT = 32;
const LEASE_SECONDS = 120;

/**
 * Leases the due jobs of a stage, hands them to `handle` one after another, and gives every lease back. The
 * first error ends the step: what fails for one job here is the endpoint, and fails for the next one too.
 * Returns how many jobs `handle` moved on.
 */
export async function forEachLeased(parameters: {
  settler: Settler;
  stage: Stage;
  /** returns whether it moved the job on */
  handle: (job: Job) => Promise<boolean>;
}): Promise<number> {
  const { settler, stage, handle } = parameters;
  const { database, owner } = settler;
  const jobs = await leaseJobs({
    database,
    owner,
    stage,
    limit: LIMIT,
    leaseSeconds: LEASE_SECONDS,
  });
  let moved = 0;
  let failure: { error: unknown } | undefined;
  for (const job of jobs) {
    const { requestId } = job;
    if (failure !== undefined || settler.signal.aborted) {
      await releaseJob({ database, owner, requestId });
      continue;
    }
    try {
      if (await handle(job)) moved += 1;
      await releaseJob({ database, owner, requestId });
    } catch (error) {
      failure = { error };
      await releaseJob({ database, owner, requestId, error: describeError(error) });
    }
  }
  if (failure !== undefined) throw failure.error;
  return moved;
}
