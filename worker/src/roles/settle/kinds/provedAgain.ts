import { pageInterface } from "../../../chain/chain.ts";
import { NonRetryableError } from "../../../errors.ts";
import { readPage } from "../../../jobs/pages.ts";
import { provenLeafOf } from "../pages/makePage.ts";
import type { SettlementDriver } from "./settlementDriver.ts";
import { zkml } from "./zkml.ts";

/**
 * Settlement of one result of an optimistic page that was rejected, by its way to the page's root and its proof: good until seven
 * days after the rejection, however old the result is by then.
 */
export const provedAgain: SettlementDriver = {
  ...zkml,
  name: "provedAgain",
  takes: (jobs) =>
    jobs.length === 1 && jobs.every((job) => job.proof !== null && job.pageId !== null),
  /** They go alone, and whoever forms lots of single proofs has them. */
  form: () => [],
  async encode([job], { chain, database }) {
    const pageId = job?.pageId ?? "";
    const found = await readPage({ database, pageId });
    if (job === undefined || found === undefined || chain.pageSettlement === undefined) {
      throw new NonRetryableError({
        code: "page.missing",
        message: `there is no page ${pageId}, or no contract for it`,
      });
    }
    const { domain, pageSettlement: to } = chain;
    const proof = job.proof ?? "0x";
    const values = provenLeafOf({ ...found, job, proof, domain });
    return { to, data: pageInterface.encodeFunctionData("proveLeaf", values) };
  },
};
