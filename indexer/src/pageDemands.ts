import { modelVersion, page, pageDemand } from "ponder:schema";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { standingTime } from "./pages/pageState.ts";
import { setAccount } from "./pages/setAccount.ts";
import { removeResult } from "./pages/writeResults.ts";

if (isIndexed("PageSettlement")) {
  on("PageSettlement:VersionAdmitted", async ({ event, context }) => {
    const { modelVersion: id } = event.args;
    await context.db.update(modelVersion, { id }).set({ admittedAt: event.block.timestamp });
  });

  on("PageSettlement:ProofDemanded", async ({ event, context }) => {
    const { pageId, index, demander, deadline, deposit } = event.args;
    const { timestamp } = event.block;
    await context.db.insert(pageDemand).values({
      ...{ pageId, index, demander, deadline, deposit, state: "open", closedAt: null },
      ...{ demandedAt: timestamp, transactionHash: event.transaction.hash },
    });
    await context.db.update(page, { id: pageId }).set((row) => ({
      openDemands: row.openDemands + 1,
      ...(row.openDemands === 0 ? { stoppedAt: timestamp } : {}),
    }));
    await setAccount({ context, event, address: demander });
  });

  on("PageSettlement:ProofGiven", async ({ event, context }) => {
    const { pageId, index } = event.args;
    const { timestamp } = event.block;
    await context.db
      .update(pageDemand, { pageId, index })
      .set({ state: "proved", closedAt: timestamp });
    const before = await context.db.find(page, { id: pageId });
    if (before === null) throw new RangeError(`page ${pageId} was never proposed`);
    // Its row of the page goes, before the one of its own settlement comes.
    await removeResult({ context, page: before, index });
    await context.db.update(page, { id: pageId }).set((row) => ({
      openDemands: row.openDemands - 1,
      proved: row.proved | (1n << BigInt(index)),
      ...(row.openDemands === 1
        ? { end: row.end + standingTime({ page: row, at: timestamp }) }
        : {}),
    }));
    await setAccount({ context, event, address: before.proposer });
  });

  on("PageSettlement:DemandReturned", async ({ event, context }) => {
    const { pageId, index } = event.args;
    const { demander } = await context.db
      .update(pageDemand, { pageId, index })
      .set({ state: "returned", closedAt: event.block.timestamp });
    await setAccount({ context, event, address: demander });
  });
}
