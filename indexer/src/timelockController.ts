import { proposal, timelockOperation } from "ponder:schema";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("TimelockController")) {
  indexOperations();
}

/** An operation may be executed or cancelled here without a word from the governor, whose proposal it may be. */
function indexOperations(): void {
  on("TimelockController:CallScheduled", async ({ event, context }) => {
    const operation = {
      scheduledAt: event.block.timestamp,
      readyAt: event.block.timestamp + event.args.delay,
      canceledAt: null,
    };
    // One event for each call of a batch; and what was cancelled may be scheduled again.
    await context.db
      .insert(timelockOperation)
      .values({ id: event.args.id, ...operation })
      .onConflictDoUpdate(operation);
  });

  on("TimelockController:CallExecuted", async ({ event, context }) => {
    const executed = { executedAt: event.block.timestamp };
    const { proposalId } = await context.db
      .update(timelockOperation, { id: event.args.id })
      .set(executed);
    if (proposalId !== null) {
      await context.db.update(proposal, { id: proposalId }).set(executed);
    }
  });

  on("TimelockController:Cancelled", async ({ event, context }) => {
    const canceled = { canceledAt: event.block.timestamp };
    const { proposalId } = await context.db
      .update(timelockOperation, { id: event.args.id })
      .set(canceled);
    if (proposalId !== null) {
      await context.db.update(proposal, { id: proposalId }).set(canceled);
    }
  });
}
