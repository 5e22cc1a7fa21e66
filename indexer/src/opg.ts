import type { Context } from "ponder:registry";
import {
  delegate,
  delegation,
  holder,
  tokenTransfer,
  vestingGrant,
  vestingRelease,
} from "ponder:schema";
import { type Hex, zeroAddress } from "viem";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("OPG")) {
  indexToken();
}

function indexToken(): void {
  on("OPG:Transfer", async ({ event, context }) => {
    const { from, to, value: amount } = event.args;
    const place = { blockNumber: event.block.number, logIndex: event.log.logIndex };
    const transactionHash = event.transaction.hash;
    await context.db.insert(tokenTransfer).values({
      ...{ ...place, from, to, amount, transactionHash },
      timestamp: event.block.timestamp,
    });
    await addToBalance({ context, address: from, amount: -amount });
    await addToBalance({ context, address: to, amount });

    const grant = await context.db.find(vestingGrant, { vault: from });
    if (grant === null || isRefund({ grant, ...place })) {
      return;
    }
    await context.db
      .update(vestingGrant, { vault: from })
      .set({ released: grant.released + amount });
    await context.db.insert(vestingRelease).values({
      ...{ ...place, vault: from, beneficiary: to, amount, transactionHash },
      releasedAt: event.block.timestamp,
    });
  });

  on("OPG:DelegateChanged", async ({ event, context }) => {
    const { delegator, fromDelegate, toDelegate } = event.args;
    const delegatee = orNull(toDelegate);
    await context.db
      .insert(holder)
      .values({ address: delegator, balance: 0n, delegatee })
      .onConflictDoUpdate({ delegatee });
    await context.db.insert(delegation).values({
      blockNumber: event.block.number,
      logIndex: event.log.logIndex,
      ...{ delegator, previous: orNull(fromDelegate), current: delegatee },
      changedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });

  on("OPG:DelegateVotesChanged", async ({ event, context }) => {
    const { delegate: address, newVotes: votes } = event.args;
    await context.db.insert(delegate).values({ address, votes }).onConflictDoUpdate({ votes });
  });
}

/** A mint comes from nobody, and a burn goes to nobody. */
async function addToBalance(parameters: {
  context: Context;
  address: Hex;
  amount: bigint;
}): Promise<void> {
  const { context, address, amount } = parameters;
  if (address === zeroAddress) {
    return;
  }
  await context.db
    .insert(holder)
    .values({ address, balance: amount, delegatee: null })
    .onConflictDoUpdate((row) => ({ balance: row.balance + amount }));
}

/** The vault announces a revocation and then, in the very next log, the token tells of the refund. */
function isRefund(parameters: {
  grant: { revocationBlock: bigint | null; revocationLogIndex: number | null };
  blockNumber: bigint;
  logIndex: number;
}): boolean {
  const { grant, blockNumber, logIndex } = parameters;
  return grant.revocationBlock === blockNumber && grant.revocationLogIndex === logIndex - 1;
}
