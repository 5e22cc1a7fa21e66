import type { stakingReward } from "ponder:schema";
import type { Hex } from "viem";

type Row = typeof stakingReward.$inferInsert;

/** A row of a reward, with what its kind does not have as null. */
export const rewardAt = (
  event: {
    block: { number: bigint; timestamp: bigint };
    log: { logIndex: number };
    transaction: { hash: Hex };
  },
  reward: Pick<Row, "kind" | "amount"> &
    Partial<Pick<Row, "account" | "validator" | "epoch" | "signers" | "pages">>,
) => ({
  ...{ account: null, validator: null, epoch: null, signers: null, pages: null },
  ...reward,
  blockNumber: event.block.number,
  logIndex: event.log.logIndex,
  timestamp: event.block.timestamp,
  transactionHash: event.transaction.hash,
});
