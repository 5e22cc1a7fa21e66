import type { Context } from "ponder:registry";
import { nodeBond } from "ponder:schema";
import type { Hex } from "viem";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { setParameter } from "./tee/writeRows.ts";

if (isIndexed("NodeBonds")) {
  indexBonds();
}

function indexBonds(): void {
  on("NodeBonds:BondAmountChanged", async ({ event, context }) => {
    await setParameter({ context, event, name: "bondAmount", value: event.args.current });
  });

  // A plain insert: a node is admitted once.
  on("NodeBonds:BondLocked", async ({ event, context }) => {
    await context.db.insert(nodeBond).values({
      ...event.args,
      state: "locked",
      lockedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });

  on("NodeBonds:BondReleased", async ({ event, context }) => {
    const { teeId, owner: receiver } = event.args;
    await endBond({ context, event, teeId, receiver, state: "released" });
  });

  on("NodeBonds:BondForfeited", async ({ event, context }) => {
    const { teeId, receiver } = event.args;
    await endBond({ context, event, teeId, receiver, state: "forfeited" });
  });
}

async function endBond(parameters: {
  context: Context;
  event: { block: { timestamp: bigint }; transaction: { hash: Hex } };
  teeId: Hex;
  receiver: Hex;
  state: "released" | "forfeited";
}): Promise<void> {
  const { context, event, teeId, receiver, state } = parameters;
  await context.db.update(nodeBond, { teeId }).set({
    ...{ state, receiver },
    endedAt: event.block.timestamp,
    endTransactionHash: event.transaction.hash,
  });
}
