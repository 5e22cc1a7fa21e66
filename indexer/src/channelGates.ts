import { channel, channelCount, channelGate, gateCollection, gateCredit } from "ponder:schema";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("ChannelGates")) {
  indexGates();
  indexCounts();
  indexPayouts();
}

function indexGates(): void {
  on("ChannelGates:GateOpened", async ({ event, context }) => {
    const { gate: address, terms } = event.args;
    const { node: nodeAddress, payee, feeReceiver, feeBps, kinds } = terms;
    await context.db.insert(channelGate).values({
      ...{ address, nodeAddress, payee, feeReceiver: orNull(feeReceiver), feeBps, kinds },
      ...{ openedAt: event.block.timestamp, opener: event.transaction.from },
      transactionHash: event.transaction.hash,
    });
  });
}

function indexCounts(): void {
  on("ChannelGate:ResultsCounted", async ({ event, context }) => {
    const { address: gate, logIndex } = event.log;
    const { bitmap, channelId, page: ledgerPage, proven } = event.args;
    const { number: blockNumber, timestamp } = event.block;
    // Before the row is changed: what was found is the row itself.
    const before = (await context.db.find(channel, { gate, id: channelId }))?.proven ?? 0n;
    const resultCount = bitsIn(bitmap);
    await context.db
      .insert(channel)
      .values({ gate, id: channelId, proven, resultCount, countedAt: timestamp })
      .onConflictDoUpdate((row) => ({
        ...{ proven, countedAt: timestamp, resultCount: row.resultCount + resultCount },
      }));
    await context.db.insert(channelCount).values({
      ...{ blockNumber, logIndex, gate, channelId, ledgerPage, bitmap, resultCount },
      ...{ amount: proven - before, counter: event.transaction.from },
      ...{ timestamp, transactionHash: event.transaction.hash },
    });
  });
}

function indexPayouts(): void {
  on("ChannelGate:Collected", async ({ event, context }) => {
    await context.db.insert(gateCollection).values({
      ...{ blockNumber: event.block.number, logIndex: event.log.logIndex },
      ...{ gate: event.log.address, ...event.args },
      ...{ timestamp: event.block.timestamp, transactionHash: event.transaction.hash },
    });
  });

  on("ChannelGate:Credited", async ({ event, context }) => {
    const { token, account, amount } = event.args;
    await context.db
      .insert(gateCredit)
      .values({ gate: event.log.address, token, account, amount })
      .onConflictDoUpdate((row) => ({ amount: row.amount + amount }));
  });

  // All of a credit goes at once.
  on("ChannelGate:CreditWithdrawn", async ({ event, context }) => {
    const { token, account } = event.args;
    await context.db
      .update(gateCredit, { gate: event.log.address, token, account })
      .set({ amount: 0n });
  });
}

/** Requests that a bitmap of a ledger page names. */
function bitsIn(bitmap: bigint): number {
  let bits = 0;
  for (let left = bitmap; left !== 0n; left &= left - 1n) bits += 1;
  return bits;
}
