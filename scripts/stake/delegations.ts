/** What an account has in pools, on its way out of them, and to claim. */
import { isoTime, opg } from "../lib/words.ts";
import { percent, type StakeContext, withdrawableFrom } from "./context.ts";
import { readEvents, topicOf } from "./events.ts";

/** Stake that left a pool and was not withdrawn. */
export type Leaving = { validator: string; epoch: bigint; amount: bigint; from: bigint };

/** Validators whose pools an account ever delegated to, its own included. */
export async function poolsOf(context: StakeContext, account: string): Promise<string[]> {
  const found = await readEvents(context, {
    ...{ contract: "ValidatorStaking", event: "Delegated", topics: [null, topicOf(account)] },
  });
  return [...new Set(found.map(({ args }) => String(args.validator)))];
}

/** What of an account's stake is on its way out, the earliest first. */
export async function leavingOf(context: StakeContext, account: string): Promise<Leaving[]> {
  const found = await readEvents(context, {
    ...{ contract: "ValidatorStaking", event: "Undelegated", topics: [null, topicOf(account)] },
  });
  const places = new Map(
    found.map(({ args }) => [`${args.validator} ${args.epoch}`, args] as const),
  );
  const leaving: Leaving[] = [];
  for (const { epoch, validator } of places.values()) {
    const { amount } = await context.staking.unbondingOf(validator, epoch, account);
    if (amount === 0n) continue;
    leaving.push({ validator, epoch, amount, from: await withdrawableFrom(context, epoch) });
  }
  return leaving.sort((a, b) => Number(a.epoch - b.epoch));
}

/** Rewards that a claim would pay now: the contract brings its books up to the moment first. */
export async function owedTo(
  { staking }: StakeContext,
  parameters: { validator: string; account: string },
): Promise<bigint> {
  const { account, validator } = parameters;
  try {
    return await staking.claimRewards.staticCall(validator, { from: account });
  } catch (error) {
    if (revertName(error) === "ValidatorStaking_AmountInvalid") return 0n;
    throw error;
  }
}

/** Lines about an account: its own pool, what it delegated, what leaves, what it can claim. */
export async function describeAccount(context: StakeContext, account: string): Promise<string[]> {
  const { now, staking } = context;
  const validator = await staking.validatorOf(account);
  const lines = [`account      ${account}`];
  if (BigInt(validator.key) === 0n) lines.push("own pool     none: no validator");
  else {
    const place = validator.isClosed
      ? "closed for good"
      : validator.place === 0n
        ? "outside the set"
        : "in the set";
    lines.push(
      `own pool     ${place}; ${opg(validator.stake)}, commission ${percent(validator.commission)}, key ${validator.key}`,
    );
    const announced = await staking.announcementOf(account);
    if (BigInt(announced.key) !== 0n) {
      lines.push(`announced    key ${announced.key}, from ${isoTime(announced.keyFrom)} on`);
    }
    if (announced.commissionFrom !== 0n) {
      lines.push(
        `announced    commission ${percent(announced.commission)}, from ${isoTime(announced.commissionFrom)} on`,
      );
    }
  }
  for (const pool of await poolsOf(context, account)) {
    const { content, stake } = await staking.delegationOf(pool, account);
    const owed = await owedTo(context, { validator: pool, account });
    if (content.shares === 0n && owed === 0n) continue;
    lines.push(
      `stake        ${opg(stake)} with ${pool === account ? "itself" : pool}; ${opg(owed)} of rewards to claim`,
    );
  }
  for (const { amount, from, validator: pool } of await leavingOf(context, account)) {
    const when = from <= now ? "can be withdrawn" : `can be withdrawn from ${isoTime(from)} on`;
    lines.push(
      `unbonding    ${opg(amount)} of ${pool === account ? "its own pool" : pool}: ${when}`,
    );
  }
  return lines;
}

/** ethers names the contract's error where it knows the ABI. */
const revertName = (error: unknown): string | undefined =>
  (error as { revert?: { name?: string } | null } | undefined)?.revert?.name;
