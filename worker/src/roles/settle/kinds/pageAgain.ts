import { pageInterface } from "../../../chain/chain.ts";
import { NonRetryableError } from "../../../errors.ts";
import type { Job } from "../../../jobs/job.ts";
import { readPage } from "../../../jobs/pages.ts";
import { leafOf, makePage } from "../pages/makePage.ts";
import type { EncodeContext, SettlementDriver } from "./settlementDriver.ts";
import { tee } from "./tee.ts";

/**
 * Settlement of one result of a page that was rejected, by its way to the page's root and the enclave's signature: good
 * until seven days after the rejection, however old the result is by then.
 */
export const pageAgain: SettlementDriver = {
  ...tee,
  name: "pageAgain",
  takes: (jobs) =>
    jobs.length === 1 &&
    jobs.every(({ enclave, pageId }) => enclave !== undefined && pageId !== null),
  /** They go alone, and whoever forms lots of single results has them. */
  form: () => [],
  async encode([job], context) {
    const { found, job: settled, to } = await rejectedPageOf(job, context);
    const made = makePage({ jobs: found.jobs, domain: context.chain.domain });
    const values = [found.page.header, leafOf({ job: settled, made })];
    return { to, data: pageInterface.encodeFunctionData("settleAgain", values) };
  },
};

/** The page that a job's result was in, as it was proposed, and its contract. @throws NonRetryableError `page.missing` */
export async function rejectedPageOf(job: Job | undefined, { chain, database }: EncodeContext) {
  const pageId = job?.pageId ?? "";
  const found = await readPage({ database, pageId });
  if (job === undefined || found === undefined || chain.pageSettlement === undefined) {
    throw new NonRetryableError({
      code: "page.missing",
      message: `there is no page ${pageId}, or no contract for it`,
    });
  }
  return { found, job, to: chain.pageSettlement };
}
