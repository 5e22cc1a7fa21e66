import { anchoredRoot, individualSettlement } from "ponder:schema";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import type { Hex } from "viem";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("LegacySettlement")) {
  indexLegacySettlement();
}

/** Plain inserts: the contract emits either event once for its key. */
function indexLegacySettlement(): void {
  // Not `BatchSettlement`, the public network's event for the same: it does not name the sender.
  on("LegacySettlement:RootAnchored", async ({ event, context }) => {
    const { merkleRoot, sender, batchSize, walrusBlobId } = event.args;
    await context.db.insert(anchoredRoot).values({
      ...{ root: merkleRoot, sender, batchSize, blobId: walrusBlobId },
      state: "anchored",
      anchoredAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
      blockNumber: event.block.number,
    });
  });

  on("LegacySettlement:IndividualSettlement", async ({ event, context }) => {
    const { walrusBlobId, ...answer } = event.args;
    await context.db.insert(individualSettlement).values({
      ...answer,
      messageHash: legacyMessageHash(answer) as Hex,
      blobId: walrusBlobId,
      settler: event.transaction.from,
      blockTimestamp: event.block.timestamp,
      transactionHash: event.transaction.hash,
      blockNumber: event.block.number,
    });
  });
}
