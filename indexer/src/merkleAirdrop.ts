import { airdropClaim } from "ponder:schema";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("MerkleAirdrop")) {
  indexClaims();
}

function indexClaims(): void {
  on("MerkleAirdrop:Claimed", async ({ event, context }) => {
    await context.db.insert(airdropClaim).values({
      ...event.args,
      claimedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
