import { index, onchainTable, primaryKey, relations } from "ponder";
import { page } from "./pages.ts";
import { rowBlock } from "./rowBlock.ts";

/**
 * Tables of validators and their stake. Amounts are smallest units of OPG, parts hundredths of a percent, epochs days since 1970.
 * Everything follows from events, to the unit: what the contract reckons between two of them is reckoned here likewise.
 */

/** A validator and its pool. */
export const validator = onchainTable(
  "validator",
  (t) => ({
    owner: t.hex().primaryKey(),
    /** whose signatures count */
    key: t.hex().notNull(),
    /** in the pool, the owner's own included */
    stake: t.bigint().notNull(),
    /** of the pool, of all who delegated to it: a share is worth `stake / shares` */
    shares: t.bigint().notNull(),
    commission: t.integer().notNull(),
    /** for the next epoch; who is in this one's set is in `epoch_member` */
    isInSet: t.boolean().notNull(),
    /** so much was slashed that nobody delegates to it any more */
    isClosed: t.boolean().notNull(),
    /** null: no other key is announced */
    announcedKey: t.hex(),
    announcedKeyFrom: t.bigint(),
    /** null: no higher commission is announced */
    announcedCommission: t.integer(),
    announcedCommissionFrom: t.bigint(),
    /** what the pool has earned until its last event, and what of that was the owner's commission */
    rewarded: t.bigint().notNull(),
    rewardedCommission: t.bigint().notNull(),
    /** of all times, scaled by 1e27: what delegations' rewards are reckoned from */
    rewardPerShare: t.bigint().notNull(),
    /** taken by slashes, from pool and unbonding stake */
    slashed: t.bigint().notNull(),
    registeredAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    placeIndex: index().on(table.blockNumber, table.logIndex),
    setIndex: index().on(table.isInSet),
  }),
);

/** A key that is or was in force; it is its validator's for ever. */
export const validatorKey = onchainTable("validator_key", (t) => ({
  key: t.hex().primaryKey(),
  validator: t.hex().notNull(),
  since: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** What somebody has in a pool. */
export const stakeDelegation = onchainTable(
  "stake_delegation",
  (t) => ({
    validator: t.hex().notNull(),
    delegator: t.hex().notNull(),
    /** of the pool; worth `shares * validator.stake / validator.shares` now */
    shares: t.bigint().notNull(),
    /** what the shares were worth when they changed last */
    stake: t.bigint().notNull(),
    /** counted and not claimed; `shares * (validator.rewardPerShare - paidPerShare) / 1e27` comes on top of it */
    owed: t.bigint().notNull(),
    paidPerShare: t.bigint().notNull(),
    claimed: t.bigint().notNull(),
    changedAt: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.validator, table.delegator] }),
    delegatorIndex: index().on(table.delegator),
  }),
);

/** What somebody took out of a pool under one epoch. */
export const unbonding = onchainTable(
  "unbonding",
  (t) => ({
    validator: t.hex().notNull(),
    /** under which it can be withdrawn: the one after that in which it left */
    epoch: t.bigint().notNull(),
    delegator: t.hex().notNull(),
    /** of all that leaves under the epoch; zero once withdrawn. Worth `shares * unbonding_sum.amount / unbonding_sum.shares` */
    shares: t.bigint().notNull(),
    /** what left, before slashes */
    left: t.bigint().notNull(),
    withdrawn: t.bigint().notNull(),
    /** first second in which it can be withdrawn */
    withdrawableFrom: t.bigint().notNull(),
    changedAt: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.validator, table.epoch, table.delegator] }),
    delegatorIndex: index().on(table.delegator),
  }),
);

/** All that leaves a pool under one epoch. A slash makes it less, without its shares. */
export const unbondingSum = onchainTable(
  "unbonding_sum",
  (t) => ({
    validator: t.hex().notNull(),
    epoch: t.bigint().notNull(),
    amount: t.bigint().notNull(),
    shares: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.validator, table.epoch] }) }),
);

/** Set, weights and terms of an epoch in which anything was called. */
export const stakingEpoch = onchainTable("staking_epoch", (t) => ({
  epoch: t.bigint().primaryKey(),
  /** the set's stake */
  total: t.bigint().notNull(),
  minimumTotalStake: t.bigint().notNull(),
  slashWithQuorum: t.integer().notNull(),
  slashWithout: t.integer().notNull(),
  memberCount: t.integer().notNull(),
  /** whose first 31 bytes the contract keeps */
  snapshotHash: t.hex().notNull(),
  frozenAt: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

/** A member of an epoch's set, at its place in the snapshot: bit `index` of signers is this one. */
export const epochMember = onchainTable(
  "epoch_member",
  (t) => ({
    epoch: t.bigint().notNull(),
    index: t.integer().notNull(),
    validator: t.hex().notNull(),
    key: t.hex().notNull(),
    stake: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.epoch, table.index] }),
    validatorIndex: index().on(table.validator),
  }),
);

/** A validator was slashed for a page: once each. */
export const slashing = onchainTable(
  "slashing",
  (t) => ({
    pageId: t.hex().notNull(),
    validator: t.hex().notNull(),
    /** whose stake answered */
    epoch: t.bigint().notNull(),
    /** `quorum`: as one of its signers; `shown`: by a signature that was shown */
    kind: t.text().$type<"quorum" | "shown">().notNull(),
    slashable: t.bigint().notNull(),
    taken: t.bigint().notNull(),
    /** of that, for the caller; the rest was burned */
    bounty: t.bigint().notNull(),
    /** sender of the transaction */
    sender: t.hex().notNull(),
    slashedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.pageId, table.validator] }),
    validatorIndex: index().on(table.validator),
  }),
);

/** Rewards: what came in, what pages brought their signers, what was claimed, what the router passed on. */
export const stakingReward = onchainTable(
  "staking_reward",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    kind: t.text().$type<"added" | "pages" | "claimed" | "forwarded">().notNull(),
    /** who added, claimed, or got what the router passed on; null for pages */
    account: t.hex(),
    /** whose pool, of what was claimed */
    validator: t.hex(),
    amount: t.bigint().notNull(),
    /** of pages: in which they were attested, by which members, and how many there were */
    epoch: t.bigint(),
    signers: t.integer(),
    pages: t.integer(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    accountIndex: index().on(table.account),
  }),
);

/** Who gets what the reward router holds, each time that governance named somebody; null: nobody. */
export const rewardRecipient = onchainTable(
  "reward_recipient",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    recipient: t.hex(),
    changedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

export type StakingParameterName =
  | "minimumSelfStake"
  | "minimumTotalStake"
  | "slashWithQuorum"
  | "slashWithout"
  | "dailySlash"
  | "bounty";

export const stakingParameter = onchainTable("staking_parameter", (t) => ({
  name: t.text().$type<StakingParameterName>().primaryKey(),
  value: t.bigint().notNull(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const validatorRelations = relations(validator, ({ many }) => ({
  delegations: many(stakeDelegation),
  memberships: many(epochMember),
  slashings: many(slashing),
}));

export const stakeDelegationRelations = relations(stakeDelegation, ({ one }) => ({
  pool: one(validator, { fields: [stakeDelegation.validator], references: [validator.owner] }),
}));

export const epochMemberRelations = relations(epochMember, ({ one }) => ({
  owner: one(validator, { fields: [epochMember.validator], references: [validator.owner] }),
  snapshot: one(stakingEpoch, { fields: [epochMember.epoch], references: [stakingEpoch.epoch] }),
}));

export const stakingEpochRelations = relations(stakingEpoch, ({ many }) => ({
  members: many(epochMember),
}));

export const slashingRelations = relations(slashing, ({ one }) => ({
  owner: one(validator, { fields: [slashing.validator], references: [validator.owner] }),
  page: one(page, { fields: [slashing.pageId], references: [page.id] }),
}));
