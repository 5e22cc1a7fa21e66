import type { Context } from "ponder:registry";
import {
  stakeDelegation,
  unbonding,
  unbondingSum,
  validator as validatorTable,
} from "ponder:schema";
import type { Hex } from "viem";
import { earnedSince, withdrawableFrom, worthOf } from "./stakeArithmetic.ts";

/** What a handler is given, as far as the functions here look at it. */
type Parameters<Values> = {
  context: Context;
  event: { block: { timestamp: bigint } };
  validator: Hex;
} & Values;
type Delegation = typeof stakeDelegation.$inferSelect;
type Pool = typeof validatorTable.$inferSelect;

/** Counts what somebody's shares have earned, as the contract does before it changes them, and writes what they are then. */
async function settle(
  parameters: Parameters<{ delegator: Hex }>,
  change: (row: Pick<Delegation, "shares" | "owed" | "claimed">) => Partial<Delegation>,
): Promise<void> {
  const { context, delegator, event, validator } = parameters;
  const pool = await poolOf(context, validator);
  const before = (await context.db.find(stakeDelegation, { validator, delegator })) ?? {
    ...{ shares: 0n, stake: 0n, owed: 0n, claimed: 0n, paidPerShare: 0n },
  };
  const counted = {
    ...before,
    owed: before.owed + earnedSince(before, pool.rewardPerShare),
    paidPerShare: pool.rewardPerShare,
    changedAt: event.block.timestamp,
  };
  const row = { ...counted, ...change(counted) };
  const stake = worthOf(row.shares, pool);
  const { changedAt, claimed, owed, paidPerShare, shares } = row;
  const values = { changedAt, claimed, owed, paidPerShare, shares, stake };
  await context.db
    .insert(stakeDelegation)
    .values({ validator, delegator, ...values })
    .onConflictDoUpdate(values);
}

export async function addStake(
  parameters: Parameters<{ delegator: Hex; amount: bigint; shares: bigint }>,
): Promise<void> {
  const { amount, context, shares, validator: owner } = parameters;
  await context.db.update(validatorTable, { owner }).set((row) => ({
    stake: row.stake + amount,
    shares: row.shares + shares,
  }));
  await settle(parameters, (row) => ({ shares: row.shares + shares }));
}

export async function takeStakeOut(
  parameters: Parameters<{
    delegator: Hex;
    epoch: bigint;
    amount: bigint;
    shares: bigint;
    unbondingShares: bigint;
  }>,
): Promise<void> {
  const { amount, context, delegator, epoch, event, shares, unbondingShares } = parameters;
  const { validator } = parameters;
  await context.db.update(validatorTable, { owner: validator }).set((row) => ({
    stake: row.stake - amount,
    shares: row.shares - shares,
  }));
  await settle(parameters, (row) => ({ shares: row.shares - shares }));
  await context.db
    .insert(unbondingSum)
    .values({ validator, epoch, amount, shares: unbondingShares })
    .onConflictDoUpdate((row) => ({
      amount: row.amount + amount,
      shares: row.shares + unbondingShares,
    }));
  const changedAt = event.block.timestamp;
  await context.db
    .insert(unbonding)
    .values({
      ...{ validator, epoch, delegator, shares: unbondingShares, left: amount, withdrawn: 0n },
      ...{ withdrawableFrom: withdrawableFrom(epoch), changedAt },
    })
    .onConflictDoUpdate((row) => ({
      shares: row.shares + unbondingShares,
      left: row.left + amount,
      changedAt,
    }));
}

export async function withdrawStake(
  parameters: Parameters<{ delegator: Hex; epoch: bigint; amount: bigint }>,
): Promise<void> {
  const { amount, context, delegator, epoch, event, validator } = parameters;
  const row = await context.db.find(unbonding, { validator, epoch, delegator });
  if (row === null) throw new RangeError(`${delegator} withdrew what never left ${validator}`);
  await context.db.update(unbondingSum, { validator, epoch }).set((sum) => ({
    amount: sum.amount - amount,
    shares: sum.shares - row.shares,
  }));
  await context.db
    .update(unbonding, { validator, epoch, delegator })
    .set({ shares: 0n, withdrawn: amount, changedAt: event.block.timestamp });
}

export async function claimRewards(
  parameters: Parameters<{ delegator: Hex; amount: bigint }>,
): Promise<void> {
  await settle(parameters, (row) => ({ owed: 0n, claimed: row.claimed + parameters.amount }));
}

/** The owner's part of what a pool earned is theirs at once, whatever they have in it. */
export async function payCommission(parameters: Parameters<{ commission: bigint }>): Promise<void> {
  const { commission, context, event, validator } = parameters;
  if (commission === 0n) return;
  const pool = await poolOf(context, validator);
  await context.db
    .insert(stakeDelegation)
    .values({
      ...{ validator, delegator: validator, shares: 0n, stake: 0n, owed: commission, claimed: 0n },
      ...{ paidPerShare: pool.rewardPerShare, changedAt: event.block.timestamp },
    })
    .onConflictDoUpdate((row) => ({ owed: row.owed + commission }));
}

async function poolOf(context: Context, owner: Hex): Promise<Pool> {
  const pool = await context.db.find(validatorTable, { owner });
  if (pool === null) throw new RangeError(`${owner} never registered as a validator`);
  return pool;
}
