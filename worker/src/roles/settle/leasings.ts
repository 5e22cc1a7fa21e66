import type { Job } from "../../jobs/job.ts";
import { leaseJobs, releaseJobs } from "../../jobs/leases.ts";
import {
  leaseTransactions,
  releaseTransaction,
  type SettlementTransaction,
} from "../../jobs/transactionLeases.ts";
import { LEASE_SECONDS, type Leasing } from "./forEachLeased.ts";
import type { Lot } from "./kinds/settlementDriver.ts";
import type { SettleContext } from "./settleContext.ts";

const leaseSeconds = LEASE_SECONDS;
const idsOf = (jobs: readonly Job[]): string[] => jobs.map(({ requestId }) => requestId);

/** A job, or several, in a log line. */
export function jobFields(jobs: readonly Job[]): object {
  const [only, ...others] = idsOf(jobs);
  return others.length === 0 ? { requestId: only } : { requestId: only, jobs: jobs.length };
}

/** Transactions that jobs wait for, not sent yet (`proven`) or sent. */
export function transactionLeasing(
  context: SettleContext,
  state: "proven" | "submitted",
): Leasing<SettlementTransaction> {
  const { database, owner } = context;
  return {
    lease: ({ claims, limit }) =>
      leaseTransactions({ database, owner, state, claims, limit, leaseSeconds }),
    release: ({ id }, rest) => releaseTransaction({ database, owner, id, ...rest }),
    fieldsOf: ({ jobs, transaction }) => ({ ...jobFields(jobs), transaction: transaction.hash }),
  };
}

/** Proven jobs that nothing is signed for: those of a lot as one unit, or each as one. */
export function lotLeasing(context: SettleContext, lot: Lot): Leasing<readonly Job[]> {
  const { database, owner } = context;
  const release: Leasing<readonly Job[]>["release"] = (jobs, rest) =>
    releaseJobs({ database, owner, requestIds: idsOf(jobs), ...rest });
  return {
    async lease({ alone, claims, limit }) {
      const jobs = await leaseJobs({
        ...{ database, owner, stage: lot.stage, leaseSeconds, claims, alone },
        limit: lot.together ? lot.most : Math.min(lot.most, limit),
        ...(lot.versionId === undefined ? {} : { versionIds: [lot.versionId] }),
        ...(lot.page === undefined ? {} : { page: lot.page }),
      });
      if (jobs.length === 0) return [];
      if (!lot.together) return jobs.map((job) => [job]);
      if (jobs.length >= lot.least) return [jobs];
      // Somebody else has the others: they wait on, or are with them next time.
      await release(jobs);
      return [];
    },
    release,
    fieldsOf: jobFields,
  };
}
