import { ledgerPrefixOf } from "../../../jobs/leases.ts";
import { page } from "./page.ts";
import { lotsOf, type SettlementDriver } from "./settlementDriver.ts";

/**
 * Proposal of up to 256 results of the node itself and one ledger page, none of which is proved: the node's deposit answers for
 * them, and for the proofs that are demanded. Where one can be in no page it is proved after all, and settled alone.
 */
export const optimisticPage: SettlementDriver = {
  ...page,
  name: "optimisticPage",
  takes(jobs) {
    const isOne = new Set(jobs.map(({ requestId }) => ledgerPrefixOf(requestId))).size === 1;
    return isOne && jobs.every(({ isOptimistic, pageId }) => isOptimistic && pageId === null);
  },
  form({ batching, waiting }) {
    const { page: grouping } = batching;
    if (grouping === undefined) return [];
    return waiting
      .filter(({ evidence }) => evidence === "claim")
      .flatMap((ofPage) => {
        const stage = { state: "proven", evidence: "claim" } as const;
        return lotsOf({ waiting: ofPage, grouping, lot: { stage, page: ofPage.ofOne } });
      });
  },
};
