import { genesisAllocation, vestingGrant } from "ponder:schema";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("GenesisDistribution")) {
  indexAllocations();
}

function indexAllocations(): void {
  on("GenesisDistribution:Allocated", async ({ event, context }) => {
    const { allocation: number, receiver, amount } = event.args;
    const allocation = ALLOCATIONS[number]?.name;
    if (allocation === undefined) {
      throw new RangeError(`allocation must be below ${ALLOCATIONS.length}, got ${number}`);
    }
    await context.db.insert(genesisAllocation).values({
      blockNumber: event.block.number,
      logIndex: event.log.logIndex,
      ...{ allocation, receiver, amount },
    });
    // Liquidity and airdrop have no vault.
    if ((await context.db.find(vestingGrant, { vault: receiver })) !== null) {
      await context.db.update(vestingGrant, { vault: receiver }).set({ allocation });
    }
  });
}
