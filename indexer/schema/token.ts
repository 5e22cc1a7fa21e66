import { index, onchainTable, primaryKey, relations } from "ponder";
import { rowBlock } from "./rowBlock.ts";

/** Tables of OPG, the vesting vaults, the airdrop and the genesis distribution. Amounts are in the smallest unit. */

/** An account that ever held OPG or delegated. The balances sum to the supply. */
export const holder = onchainTable(
  "holder",
  (t) => ({
    address: t.hex().primaryKey(),
    balance: t.bigint().notNull(),
    /** who votes with the balance; null: nobody */
    delegatee: t.hex(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    balanceIndex: index().on(table.balance),
    delegateeIndex: index().on(table.delegatee),
  }),
);

/** An account that tokens ever were delegated to. Its votes are those of OPG; with stake it votes besides (StakedVotes). */
export const delegate = onchainTable("delegate", (t) => ({
  address: t.hex().primaryKey(),
  votes: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const delegation = onchainTable(
  "delegation",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    delegator: t.hex().notNull(),
    /** null: nobody */
    previous: t.hex(),
    current: t.hex(),
    changedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    delegatorIndex: index().on(table.delegator),
  }),
);

/** From the zero address: minted; to it: burnt. */
export const tokenTransfer = onchainTable(
  "token_transfer",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    from: t.hex().notNull(),
    to: t.hex().notNull(),
    amount: t.bigint().notNull(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    fromIndex: index().on(table.from),
    toIndex: index().on(table.to),
  }),
);

/** A grant and its vault. The terms never change; beneficiary, payments and revocation do. */
export const vestingGrant = onchainTable(
  "vesting_grant",
  (t) => ({
    vault: t.hex().primaryKey(),
    funder: t.hex().notNull(),
    /** of the genesis distribution; null for later grants */
    allocation: t.text(),
    total: t.bigint().notNull(),
    /** part that vests at `tge` */
    tgeAmount: t.bigint().notNull(),
    tge: t.bigint().notNull(),
    start: t.bigint().notNull(),
    end: t.bigint().notNull(),
    transferability: t.text().$type<"fixed" | "transferable" | "redirectableOnce">().notNull(),
    /** null: nobody can take anything back */
    revoker: t.hex(),
    refundTo: t.hex(),
    /** who is paid now */
    beneficiary: t.hex().notNull(),
    originalBeneficiary: t.hex().notNull(),
    pendingBeneficiary: t.hex(),
    /** what the vault paid out to beneficiaries, tokens beyond the grant included */
    released: t.bigint().notNull(),
    revokedAt: t.bigint(),
    /** what was not vested then and went back */
    refund: t.bigint(),
    /** place of the revocation's event: the refund's transfer, no release, is the log behind it */
    revocationBlock: t.bigint(),
    revocationLogIndex: t.integer(),
    createdAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ beneficiaryIndex: index().on(table.beneficiary) }),
);

/** A payment of a vault to its beneficiary. */
export const vestingRelease = onchainTable(
  "vesting_release",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    vault: t.hex().notNull(),
    beneficiary: t.hex().notNull(),
    amount: t.bigint().notNull(),
    releasedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    vaultIndex: index().on(table.vault),
  }),
);

export const airdropClaim = onchainTable(
  "airdrop_claim",
  (t) => ({
    /** in the tree */
    index: t.bigint().primaryKey(),
    account: t.hex().notNull(),
    amount: t.bigint().notNull(),
    claimedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ accountIndex: index().on(table.account) }),
);

/** Who got what at genesis: a vault, the liquidity account, the airdrop. */
export const genesisAllocation = onchainTable(
  "genesis_allocation",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    allocation: t.text().notNull(),
    receiver: t.hex().notNull(),
    amount: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

export const holderRelations = relations(holder, ({ one }) => ({
  delegate: one(delegate, { fields: [holder.delegatee], references: [delegate.address] }),
}));

export const delegateRelations = relations(delegate, ({ many }) => ({ delegators: many(holder) }));

export const vestingGrantRelations = relations(vestingGrant, ({ one, many }) => ({
  holder: one(holder, { fields: [vestingGrant.vault], references: [holder.address] }),
  releases: many(vestingRelease),
}));

export const vestingReleaseRelations = relations(vestingRelease, ({ one }) => ({
  grant: one(vestingGrant, { fields: [vestingRelease.vault], references: [vestingGrant.vault] }),
}));
