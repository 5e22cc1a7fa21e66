import { ponder } from "ponder:registry";
import { airdropClaim } from "ponder:schema";
import { isIndexed } from "./isIndexed.ts";

if (isIndexed("MerkleAirdrop")) {
  indexClaims();
}

function indexClaims(): void {
  ponder.on("MerkleAirdrop:Claimed", async ({ event, context }) => {
    await context.db.insert(airdropClaim).values({
      ...event.args,
      claimedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
