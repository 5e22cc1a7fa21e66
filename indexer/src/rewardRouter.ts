import { rewardRecipient, stakingReward } from "ponder:schema";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { rewardAt } from "./staking/rewardAt.ts";

if (isIndexed("RewardRouter")) {
  indexRouter();
}

function indexRouter(): void {
  on("RewardRouter:RewardsForwarded", async ({ event, context }) => {
    const { amount, recipient: account } = event.args;
    await context.db
      .insert(stakingReward)
      .values(rewardAt(event, { kind: "forwarded", account, amount }));
  });

  on("RewardRouter:RecipientChanged", async ({ event, context }) => {
    await context.db.insert(rewardRecipient).values({
      blockNumber: event.block.number,
      logIndex: event.log.logIndex,
      recipient: orNull(event.args.recipient),
      changedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
