import { decodeSnapshot, hashSnapshot, type Snapshot } from "@haca/protocol/validatorStaking";
import { stakingInterface } from "../../src/chain/chain.ts";
import { type Happened, happenedAt } from "./happened.ts";
import type { StakingContract } from "./stakingContract.ts";
import type { Row, Tables } from "./tables.ts";
import type { WatchBed } from "./watchBed.ts";

const lower = (hex: string): string => hex.toLowerCase();
const REWARD_KINDS: Record<string, string> = {
  ...{ RewardsAdded: "added", PagesPaid: "pages", RewardsClaimed: "claimed" },
};

type All = { staking: StakingContract; all: readonly Happened[] };

/** Sum of an argument over some events. */
const sumOf = (events: readonly Happened[], name: string): string =>
  String(events.reduce((sum, { args }) => sum + (args[name] as bigint), 0n));

/** The sets that were frozen, by epoch. */
export const frozenSets = (all: readonly Happened[]): Map<bigint, Snapshot> =>
  new Map(
    all
      .filter(({ name }) => name === "SnapshotFrozen")
      .map(({ args }) => [args.epoch as bigint, decodeSnapshot([...args.snapshot])]),
  );

/** What the chain says of validators and their stake, by the contract's events and by what it answers now. */
export async function stakingTables(bed: WatchBed, staking: StakingContract): Promise<Tables> {
  const { provider } = bed.tee.chain;
  const { contract } = staking;
  const all = await happenedAt({ provider, contract, abi: stakingInterface });
  return {
    ...(await validators({ staking, all })),
    ...(await delegations({ staking, all })),
    ...(await epochs({ staking, all })),
    slashing: await slashes({ bed, staking, all }),
    staking_reward: all
      .filter(({ name }) => name in REWARD_KINDS)
      .map(({ args, block, index, name, transaction }) => {
        const { amount, delegator, epoch, from, pages, signers, validator } = args.toObject();
        const account = delegator ?? from;
        return {
          ...{ kind: REWARD_KINDS[name], amount: String(amount), transaction_hash: transaction },
          account: account === undefined ? null : lower(account),
          validator: validator === undefined ? null : lower(validator),
          epoch: epoch === undefined ? null : String(epoch),
          signers: signers === undefined ? null : Number(signers),
          pages: pages === undefined ? null : Number(pages),
          ...{ block_number: String(block), log_index: index },
        };
      }),
  };
}

async function validators({ all, staking: { contract } }: All): Promise<Tables> {
  const owners = all.flatMap(({ args, name }) =>
    name === "ValidatorRegistered" ? [args.validator as string] : [],
  );
  const rows = owners.map(async (owner) => {
    const found = await contract.validatorOf(owner);
    const ofPool = (name: string) =>
      all.filter((one) => one.name === name && one.args.validator === owner);
    return {
      ...{ owner: lower(owner), key: lower(found.key), commission: Number(found.commission) },
      ...{ stake: String(found.stake), shares: String(found.shares) },
      ...{ is_in_set: found.place !== 0n, is_closed: found.isClosed },
      reward_per_share: String(found.rewardPerShare),
      slashed: sumOf(ofPool("Slashed"), "taken"),
      rewarded: sumOf(ofPool("PoolRewarded"), "amount"),
      rewarded_commission: sumOf(ofPool("PoolRewarded"), "commission"),
    };
  });
  const keys = all.flatMap(({ args, name }): Row[] =>
    ["ValidatorRegistered", "KeyChanged"].includes(name)
      ? [{ key: lower(args.key), validator: lower(args.validator) }]
      : [],
  );
  return { validator: await Promise.all(rows), validator_key: keys };
}

async function delegations({ all, staking: { contract } }: All): Promise<Tables> {
  // Events of a name that are of the same, with what they are of.
  const grouped = (name: string, keys: readonly string[]) => {
    const groups = new Map<string, { of: Happened["args"]; events: Happened[] }>();
    for (const one of all) {
      if (one.name !== name) continue;
      const group = keys.map((key) => String(one.args[key])).join();
      const { events = [] } = groups.get(group) ?? {};
      groups.set(group, { of: one.args, events: [...events, one] });
    }
    return [...groups.values()];
  };
  const pools = grouped("Delegated", ["validator", "delegator"]).map(async ({ of }) => {
    const { delegator, validator } = of;
    const [found] = await contract.delegationOf(validator, delegator);
    const isTheirs = ({ args, name }: Happened): boolean =>
      name === "RewardsClaimed" && args.validator === validator && args.delegator === delegator;
    return {
      ...{ validator: lower(validator), delegator: lower(delegator) },
      ...{ shares: String(found.shares), owed: String(found.owed) },
      paid_per_share: String(found.paidPerShare),
      claimed: sumOf(all.filter(isTheirs), "amount"),
    };
  });
  const leaving = grouped("Undelegated", ["validator", "delegator", "epoch"]).map(
    ({ events, of }) => {
      const { delegator, epoch, validator } = of;
      return {
        ...{ validator: lower(validator), delegator: lower(delegator), epoch: String(epoch) },
        ...{ left: sumOf(events, "amount"), shares: sumOf(events, "unbondingShares") },
      };
    },
  );
  const sums = grouped("Undelegated", ["validator", "epoch"]).map(async ({ of }) => {
    const { delegator, epoch, validator } = of;
    const [{ amount, shares }] = await contract.unbondingOf(validator, epoch, delegator);
    const rest = { amount: String(amount), shares: String(shares) };
    return { validator: lower(validator), epoch: String(epoch), ...rest };
  });
  return {
    stake_delegation: await Promise.all(pools),
    unbonding: leaving,
    unbonding_sum: await Promise.all(sums),
  };
}

async function epochs({ all, staking: { contract } }: All): Promise<Tables> {
  const frozen = all.filter(({ name }) => name === "SnapshotFrozen");
  const members: Row[] = [];
  const rows: Row[] = [];
  for (const { args, transaction } of frozen) {
    const epoch = String(args.epoch);
    const snapshot = decodeSnapshot([...args.snapshot]);
    rows.push({
      ...{ epoch, total: String(snapshot.total), member_count: snapshot.members.length },
      ...{ snapshot_hash: hashSnapshot([...args.snapshot]), transaction_hash: transaction },
    });
    for (const [index, { key, stake }] of snapshot.members.entries()) {
      const validator = lower(await contract.validatorOfKey(key));
      members.push({ epoch, index, validator, key: lower(key), stake: String(stake) });
    }
  }
  return { staking_epoch: rows, epoch_member: members };
}

async function slashes({ all, bed, staking }: All & { bed: WatchBed }): Promise<Row[]> {
  const rows: Row[] = [];
  const sets = frozenSets(all);
  for (const { args, name, time, transaction } of all) {
    if (name !== "Slashed") continue;
    const { signers } = await bed.pages.contract.pageOf(args.pageId);
    const { key } = await staking.contract.validatorOf(args.validator);
    const place = sets.get(args.epoch)?.members.findIndex((member) => member.key === key) ?? -1;
    if (place === -1) throw new Error(`${args.validator} was slashed and not in the set`);
    const isSigner = ((signers >> BigInt(place)) & 1n) === 1n;
    rows.push({
      ...{ page_id: args.pageId, validator: lower(args.validator), epoch: String(args.epoch) },
      ...{ kind: isSigner ? "quorum" : "shown", slashable: String(args.slashable) },
      ...{ taken: String(args.taken), bounty: String(args.bounty) },
      ...{ slashed_at: String(time), transaction_hash: transaction },
    });
  }
  return rows;
}
