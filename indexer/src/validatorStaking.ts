import {
  epochMember,
  stakingEpoch,
  stakingParameter,
  stakingReward,
  validator,
  validatorKey,
} from "ponder:schema";
import { decodeSnapshot, hashSnapshot } from "@haca/protocol/validatorStaking";
import { type Hex, zeroAddress } from "viem";
import type { StakingParameterName } from "../schema/staking.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { rewardAt } from "./staking/rewardAt.ts";
import { rewardPerShareAfter } from "./staking/stakeArithmetic.ts";
import {
  addStake,
  claimRewards,
  payCommission,
  takeStakeOut,
  withdrawStake,
} from "./staking/writeDelegations.ts";
import { writeSlash } from "./staking/writeSlash.ts";

if (isIndexed("ValidatorStaking")) {
  indexValidators();
  indexAnnouncements();
  indexStake();
  indexEpochs();
  indexRewards();
  indexParameters();
}

function indexValidators(): void {
  on("ValidatorStaking:ValidatorRegistered", async ({ event, context }) => {
    const { commission, key, validator: owner } = event.args;
    const { block, log, transaction } = event;
    await context.db.insert(validator).values({
      ...{ owner, key, commission, stake: 0n, shares: 0n, isInSet: false, isClosed: false },
      ...{ announcedKey: null, announcedKeyFrom: null },
      ...{ announcedCommission: null, announcedCommissionFrom: null },
      ...{ rewarded: 0n, rewardedCommission: 0n, rewardPerShare: 0n, slashed: 0n },
      registeredAt: block.timestamp,
      transactionHash: transaction.hash,
      blockNumber: block.number,
      logIndex: log.logIndex,
    });
    await context.db.insert(validatorKey).values({ key, validator: owner, since: block.timestamp });
  });

  on("ValidatorStaking:ValidatorEntered", async ({ event, context }) => {
    await context.db.update(validator, { owner: event.args.validator }).set({ isInSet: true });
  });

  on("ValidatorStaking:ValidatorLeft", async ({ event, context }) => {
    await context.db.update(validator, { owner: event.args.validator }).set({ isInSet: false });
  });

  on("ValidatorStaking:PoolClosed", async ({ event, context }) => {
    await context.db.update(validator, { owner: event.args.validator }).set({ isClosed: true });
  });
}

function indexAnnouncements(): void {
  on("ValidatorStaking:KeyAnnounced", async ({ event, context }) => {
    const { from, key, validator: owner } = event.args;
    const isTakenBack = key === zeroAddress;
    await context.db.update(validator, { owner }).set({
      announcedKey: isTakenBack ? null : key,
      announcedKeyFrom: isTakenBack ? null : from,
    });
  });

  on("ValidatorStaking:KeyChanged", async ({ event, context }) => {
    const { key, validator: owner } = event.args;
    await context.db
      .update(validator, { owner })
      .set({ key, announcedKey: null, announcedKeyFrom: null });
    await context.db
      .insert(validatorKey)
      .values({ key, validator: owner, since: event.block.timestamp });
  });

  on("ValidatorStaking:CommissionAnnounced", async ({ event, context }) => {
    const { commission, from, validator: owner } = event.args;
    await context.db
      .update(validator, { owner })
      .set({ announcedCommission: commission, announcedCommissionFrom: from });
  });

  on("ValidatorStaking:CommissionChanged", async ({ event, context }) => {
    const { commission, validator: owner } = event.args;
    await context.db
      .update(validator, { owner })
      .set({ commission, announcedCommission: null, announcedCommissionFrom: null });
  });
}

function indexStake(): void {
  on("ValidatorStaking:Delegated", async ({ event, context }) => {
    await addStake({ context, event, ...event.args });
  });

  on("ValidatorStaking:Undelegated", async ({ event, context }) => {
    await takeStakeOut({ context, event, ...event.args });
  });

  on("ValidatorStaking:Withdrawn", async ({ event, context }) => {
    await withdrawStake({ context, event, ...event.args });
  });

  on("ValidatorStaking:Slashed", async ({ event, context }) => {
    await writeSlash({ context, event, ...event.args });
  });
}

function indexEpochs(): void {
  on("ValidatorStaking:SnapshotFrozen", async ({ event, context }) => {
    const { epoch, snapshot } = event.args;
    const { members, minimumTotalStake, slashWithQuorum, slashWithout, total } =
      decodeSnapshot(snapshot);
    await context.db.insert(stakingEpoch).values({
      ...{ epoch, total, minimumTotalStake, memberCount: members.length },
      slashWithQuorum: Number(slashWithQuorum),
      slashWithout: Number(slashWithout),
      snapshotHash: hashSnapshot(snapshot) as Hex,
      frozenAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
    for (const [index, member] of members.entries()) {
      const key = member.key.toLowerCase() as Hex;
      const known = await context.db.find(validatorKey, { key });
      if (known === null) throw new RangeError(`key ${key} is nobody's`);
      const { stake } = member;
      await context.db
        .insert(epochMember)
        .values({ epoch, index, validator: known.validator, key, stake });
    }
  });
}

function indexRewards(): void {
  on("ValidatorStaking:RewardsAdded", async ({ event, context }) => {
    const { amount, from: account } = event.args;
    await context.db
      .insert(stakingReward)
      .values(rewardAt(event, { kind: "added", account, amount }));
  });

  on("ValidatorStaking:PagesPaid", async ({ event, context }) => {
    const { amount, epoch, pages, signers } = event.args;
    const of = { epoch, signers: Number(signers), pages: Number(pages) };
    await context.db
      .insert(stakingReward)
      .values(rewardAt(event, { kind: "pages", amount, ...of }));
  });

  on("ValidatorStaking:PoolRewarded", async ({ event, context }) => {
    const { amount, commission, validator: owner } = event.args;
    await context.db.update(validator, { owner }).set((row) => ({
      rewarded: row.rewarded + amount,
      rewardedCommission: row.rewardedCommission + commission,
      rewardPerShare: rewardPerShareAfter(row, { amount, commission }),
    }));
    await payCommission({ context, event, validator: owner, commission });
  });

  on("ValidatorStaking:RewardsClaimed", async ({ event, context }) => {
    const { amount, delegator: account, validator: owner } = event.args;
    await context.db
      .insert(stakingReward)
      .values(rewardAt(event, { kind: "claimed", account, validator: owner, amount }));
    await claimRewards({ context, event, ...event.args });
  });
}

function indexParameters(): void {
  on("ValidatorStaking:ParametersChanged", async ({ event, context }) => {
    for (const [name, value] of Object.entries(event.args.parameters)) {
      const parameter = { value: BigInt(value), changedAt: event.block.timestamp };
      await context.db
        .insert(stakingParameter)
        .values({ name: name as StakingParameterName, ...parameter })
        .onConflictDoUpdate(parameter);
    }
  });
}
