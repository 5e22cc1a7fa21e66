import type { Context } from "ponder:registry";
import { escrowCredit, escrowCreditChange, escrowFee, escrowJob, escrowToken } from "ponder:schema";
import type { Hex } from "viem";
import { type EndEvent, endOf, orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("InferenceEscrow")) {
  indexJobs();
  indexCredits();
  indexSettings();
}

function indexJobs(): void {
  on("InferenceEscrow:JobOpened", async ({ event, context }) => {
    const { jobId: id, job } = event.args;
    const { terms, feeReceiver, ...rest } = job;
    const { node: nodeAddress, captureWindow, ...termed } = terms;
    await context.db.insert(escrowJob).values({
      ...{ id, nodeAddress, ...termed, captureWindow: BigInt(captureWindow) },
      ...{ ...rest, feeReceiver: orNull(feeReceiver) },
      ...{ status: "open", requestId: null, price: null, fee: null, returned: null },
      ...{ openedAt: event.block.timestamp, opener: event.transaction.from },
      ...{ transactionHash: event.transaction.hash },
      ...{ endedAt: null, ender: null, endTransactionHash: null },
    });
  });

  on("InferenceEscrow:JobCaptured", async ({ event, context }) => {
    const { jobId: id, requestId, price, fee } = event.args;
    await context.db.update(escrowJob, { id }).set(({ amount }) => ({
      ...{ status: "captured" as const, requestId, price, fee, returned: amount - price },
      ...endOf(event),
    }));
  });

  on("InferenceEscrow:JobRefunded", async ({ event, context }) => {
    const { jobId: id, amount: returned } = event.args;
    await context.db
      .update(escrowJob, { id })
      .set({ status: "refunded", returned, ...endOf(event) });
  });

  on("InferenceEscrow:JobCancelled", async ({ event, context }) => {
    const { jobId: id, amount: returned } = event.args;
    await context.db
      .update(escrowJob, { id })
      .set({ status: "cancelled", returned, ...endOf(event) });
  });
}

function indexCredits(): void {
  on("InferenceEscrow:Credited", async ({ event, context }) => {
    const { token, account, amount } = event.args;
    await context.db
      .insert(escrowCredit)
      .values({ token, account, amount })
      .onConflictDoUpdate((row) => ({ amount: row.amount + amount }));
    await writeChange({ context, event, kind: "credited", token, account, amount, receiver: null });
  });

  // All of a credit goes at once.
  on("InferenceEscrow:CreditWithdrawn", async ({ event, context }) => {
    const { token, account } = event.args;
    await context.db.update(escrowCredit, { token, account }).set({ amount: 0n });
    await writeChange({ context, event, kind: "withdrawn", ...event.args });
  });
}

function indexSettings(): void {
  on("InferenceEscrow:TokenAllowed", async ({ event, context }) => {
    const { token, isAllowed } = event.args;
    const { timestamp: changedAt } = event.block;
    const change = { isAllowed, changedAt, transactionHash: event.transaction.hash };
    await context.db
      .insert(escrowToken)
      .values({ token, ...change })
      .onConflictDoUpdate(change);
  });

  on("InferenceEscrow:FeeChanged", async ({ event, context }) => {
    const { feeBps, receiver } = event.args;
    await context.db
      .insert(escrowFee)
      .values({ feeBps, receiver: orNull(receiver), ...placeOf(event) });
  });
}

type At = EndEvent & { block: { number: bigint }; log: { logIndex: number } };

const placeOf = ({ block, log, transaction }: At) => ({
  ...{ blockNumber: block.number, logIndex: log.logIndex, timestamp: block.timestamp },
  transactionHash: transaction.hash,
});

async function writeChange(parameters: {
  context: Context;
  event: At;
  kind: "credited" | "withdrawn";
  token: Hex;
  account: Hex;
  amount: bigint;
  receiver: Hex | null;
}): Promise<void> {
  const { context, event, ...change } = parameters;
  await context.db.insert(escrowCreditChange).values({ ...change, ...placeOf(event) });
}
