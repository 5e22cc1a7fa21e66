import { commerceCredit, commerceJob, commerceOperator } from "ponder:schema";
import { endOf, orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("CommerceOperators")) {
  indexOperators();
  indexJobs();
  indexCredits();
}

function indexOperators(): void {
  on("CommerceOperators:OperatorCreated", async ({ event, context }) => {
    const { operator: address, terms } = event.args;
    const { node: nodeAddress, feeReceiver, ...rest } = terms;
    await context.db.insert(commerceOperator).values({
      ...{ address, nodeAddress, feeReceiver: orNull(feeReceiver), ...rest },
      ...{ createdAt: event.block.timestamp, creator: event.transaction.from },
      transactionHash: event.transaction.hash,
    });
  });
}

function indexJobs(): void {
  on("CommerceOperator:JobOpened", async ({ event, context }) => {
    const { job, paymentHash: id } = event.args;
    const { payment, requestHash, saltNonce } = job;
    const { maxFeeBps, minFeeBps, operator, payer, salt } = payment;
    await context.db.insert(commerceJob).values({
      ...{ id, operator, payer, requestHash, saltNonce, salt, minFeeBps, maxFeeBps },
      ...{ amount: payment.maxAmount, preApprovalExpiry: BigInt(payment.preApprovalExpiry) },
      ...{ deadline: BigInt(payment.authorizationExpiry) },
      ...{ refundExpiry: BigInt(payment.refundExpiry) },
      ...{ paymentFeeReceiver: orNull(payment.feeReceiver), kept: 0n },
      ...{ status: "open", requestId: null, price: null, fee: null, returned: null },
      ...{ openedAt: event.block.timestamp, opener: event.transaction.from },
      ...{ transactionHash: event.transaction.hash },
      ...{ endedAt: null, ender: null, endTransactionHash: null },
    });
  });

  on("CommerceOperator:JobCaptured", async ({ event, context }) => {
    const { fee, paymentHash: id, price, requestId } = event.args;
    await context.db.update(commerceJob, { id }).set(({ amount }) => ({
      ...{ status: "captured" as const, requestId, price, fee, returned: amount - price },
      ...endOf(event),
    }));
  });

  // After the capture that it belongs to.
  on("CommerceOperator:RestKept", async ({ event, context }) => {
    const { amount: kept, paymentHash: id } = event.args;
    await context.db.update(commerceJob, { id }).set({ returned: 0n, kept });
  });

  on("CommerceOperator:JobRefunded", async ({ event, context }) => {
    const { amount: returned, paymentHash: id } = event.args;
    await context.db
      .update(commerceJob, { id })
      .set(({ status }) =>
        status === "captured"
          ? { returned, kept: 0n }
          : { status: "refunded" as const, returned, ...endOf(event) },
      );
  });

  on("CommerceOperator:JobCancelled", async ({ event, context }) => {
    const { amount: returned, paymentHash: id } = event.args;
    await context.db
      .update(commerceJob, { id })
      .set({ status: "cancelled", returned, ...endOf(event) });
  });
}

function indexCredits(): void {
  on("CommerceOperator:Credited", async ({ event, context }) => {
    const { token, account, amount } = event.args;
    await context.db
      .insert(commerceCredit)
      .values({ operator: event.log.address, token, account, amount })
      .onConflictDoUpdate((row) => ({ amount: row.amount + amount }));
  });

  // All of a credit goes at once.
  on("CommerceOperator:CreditWithdrawn", async ({ event, context }) => {
    const { token, account } = event.args;
    await context.db
      .update(commerceCredit, { operator: event.log.address, token, account })
      .set({ amount: 0n });
  });
}
