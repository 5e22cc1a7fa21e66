import { challengeCommitment, forfeitBurn, pageAttester } from "ponder:schema";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { latestAttester } from "./pages/attestations.ts";

/** Events of `PageSettlement` that are of no page. */
if (isIndexed("PageSettlement")) {
  indexAttesters();
  indexCommitments();
}

function indexAttesters(): void {
  on("PageSettlement:AttesterChanged", async ({ event, context }) => {
    const latest = await latestAttester(context);
    await context.db.insert(pageAttester).values({
      number: (latest?.number ?? 0) + 1,
      account: orNull(event.args.attester),
      since: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}

function indexCommitments(): void {
  on("PageSettlement:ChallengeCommitted", async ({ event, context }) => {
    const committed = {
      sender: event.transaction.from,
      committedAt: event.block.timestamp,
      blockNumber: event.block.number,
      transactionHash: event.transaction.hash,
    };
    // Once its challenge was made, a commitment is forgotten, and can be made again.
    await context.db
      .insert(challengeCommitment)
      .values({ commitment: event.args.commitment, ...committed })
      .onConflictDoUpdate(committed);
  });

  on("PageSettlement:ForfeitsBurned", async ({ event, context }) => {
    await context.db.insert(forfeitBurn).values({
      blockNumber: event.block.number,
      logIndex: event.log.logIndex,
      amount: event.args.amount,
      sender: event.transaction.from,
      burnedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
