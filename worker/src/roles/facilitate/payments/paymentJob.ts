import type { Network, SettleResponse } from "@x402/core/types";
import { hashOf, type Payment } from "./payment.ts";

/** A payment as clients that follow it by its id are told of it; times in ISO 8601. */
export type PaymentJob = {
  jobId: string;
  queue: "payment";
  /** `failed` would mean that it can be settled again: what has an end here has succeeded, in finding out */
  status: "queued" | "processing" | "succeeded";
  createdAt: string;
  updatedAt: string;
  result?: SettleResponse;
  txHash?: string;
};

const STATUS = {
  accepted: "queued",
  sent: "processing",
  settled: "succeeded",
  failed: "succeeded",
} as const;

export function paymentJobOf(payment: Payment, network: Network): PaymentJob {
  const { acceptedAt, jobId, state, updatedAt } = payment;
  const hash = hashOf(payment);
  const isDecided = state === "settled" || state === "failed";
  return {
    ...{ jobId, queue: "payment", status: STATUS[state] },
    createdAt: acceptedAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    ...(isDecided ? { result: resultOf(payment, network) } : {}),
    ...(hash === "" ? {} : { txHash: hash }),
  };
}

/** What `/settle` answers about a payment. */
export function resultOf(payment: Payment, network: Network): SettleResponse {
  const { amount, failure, payer, scheme, state } = payment;
  const shared = { payer, transaction: hashOf(payment), network };
  if (state === "settled") {
    return { success: true, ...shared, ...(scheme === "upto" ? { amount: String(amount) } : {}) };
  }
  if (state === "failed") return { success: false, errorReason: failure ?? "", ...shared };
  const errorMessage = "ask again, with the same request or for the job";
  return { success: false, errorReason: "settlement_pending", errorMessage, ...shared };
}
