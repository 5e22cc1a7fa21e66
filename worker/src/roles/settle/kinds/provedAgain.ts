import { pageInterface } from "../../../chain/chain.ts";
import { provenLeafOf } from "../pages/makePage.ts";
import { rejectedPageOf } from "./pageAgain.ts";
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
  async encode([job], context) {
    const { found, job: settled, to } = await rejectedPageOf(job, context);
    const { domain } = context.chain;
    const values = provenLeafOf({ ...found, job: settled, proof: settled.proof ?? "0x", domain });
    return { to, data: pageInterface.encodeFunctionData("proveLeaf", values) };
  },
};
