import { type ChannelVoucher, channelIdOf } from "@haca/protocol/channels";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { channelAccount } from "@haca/protocol/pageOpening";
import { decodeRequestId, nodeOfEnclave, nonceOf } from "@haca/protocol/requestId";
import { isVoucherSigned } from "@haca/protocol/voucherSignature";
import { RefusedResultError } from "../../errors.ts";
import { type HeldPayment, payerOf } from "../../jobs/heldPayments.ts";
import type { NewJob } from "../../jobs/job.ts";

/** A result as it came, of the right shape and not yet judged. */
export type SignedResult = {
  /** its words of 32 bytes in lower case */
  message: InferenceResult;
  /** bytes as hex */
  signature: string;
  /** whether it is to be settled by a transaction of its own, and at once */
  alone: boolean;
  /** by which the escrow holds what it costs; captured once it is settled */
  payment?: HeldPayment;
  /** by which what it costs is claimed of a channel, once it is settled */
  voucher?: ChannelVoucher;
  /** where it stood in what came, for whoever sent it: empty, or `results.3.` */
  place: string;
};

/** What a version is called; never changes. */
export type VersionName = { model: string; version: string };

/** @throws RefusedResultError */
export function refuseResult(
  result: SignedResult,
  code: string,
  field: string,
  reason: string,
): never {
  throw new RefusedResultError({
    code: `result.${code}`,
    field: `${result.place}${field}`,
    reason,
  });
}

/** Everything but the signature of an enclave is for its own nonces only. @throws RefusedResultError */
export function requireOwnRequest(result: SignedResult): void {
  const { requestId, teeId } = result.message;
  // Both have 32 bytes, in lower case. Addresses with checksums are for whoever reads of them.
  if (requestId.slice(2, 42) === teeId.slice(26)) return;
  const expected = nodeOfEnclave(teeId);
  const { node } = decodeRequestId(requestId);
  const reason = `is of the node ${node}, the enclave's is ${expected}`;
  refuseResult(result, "wrongNode", "message.requestId", reason);
}

/** A result captures a payment of its requester alone; of an operator's jobs, one for its request. @throws RefusedResultError */
export function requireOwnPayment(result: SignedResult): void {
  const { message, payment } = result;
  if (payment === undefined) return;
  const isJob = "job" in payment;
  if (payerOf(payment) !== message.requester) {
    const reason = `is another account than the requester, ${message.requester}`;
    const field = isJob ? "payment.job.payment.payer" : "payment.payer";
    refuseResult(result, "otherPayer", field, reason);
  }
  const { inputHash } = message;
  if (!isJob || payment.job.requestHash.toLowerCase() === inputHash.toLowerCase()) return;
  const reason = `is another one than the result's inputHash, ${inputHash}`;
  refuseResult(result, "otherJob", "payment.job.requestHash", reason);
}

/**
 * A result is claimed by a voucher of its own channel alone, whose account its requester is. One that the channel's key has not
 * signed would take the place of a good one. @throws RefusedResultError
 */
export function requireOwnVoucher(result: SignedResult, chainId: bigint): void {
  const { message, voucher } = result;
  if (voucher === undefined) return;
  const account = channelAccount(channelIdOf({ chainId, channel: voucher.channel }));
  if (account !== message.requester) {
    const reason = `is of the channel with the account ${account}, and not ${message.requester}`;
    refuseResult(result, "otherChannel", "voucher.channel", reason);
  }
  const { receiver, receiverAuthorizer } = voucher.channel;
  if (receiver !== receiverAuthorizer) {
    const reason = "must be the receiver: no other channel is claimed by a gate";
    refuseResult(result, "noGate", "voucher.channel.receiverAuthorizer", reason);
  }
  if (isVoucherSigned({ chainId, voucher })) return;
  const reason = `is not of ${voucher.channel.payerAuthorizer}, the channel's payerAuthorizer`;
  refuseResult(result, "voucherNotSigned", "voucher.signature", reason);
}

/** Whether two results say the same; who signed them, and with what, does not matter. */
export function isSameResult(a: InferenceResult, b: InferenceResult): boolean {
  const names = Object.keys(a) as (keyof InferenceResult)[];
  return names.every((name) => String(a[name]).toLowerCase() === String(b[name]).toLowerCase());
}

/** The job of a result that was found good. */
export function jobOfResult(result: SignedResult, { model, version }: VersionName): NewJob {
  const { inputHash, modelVersion, outputHash, teeId, ...message } = result.message;
  return {
    ...{ model, version, versionId: modelVersion, signature: result.signature },
    ...{ requestId: message.requestId, nonce: nonceOf(message.requestId) },
    ...{ requester: message.requester, price: message.price, timestamp: message.timestamp },
    ...{ inputWords: [], outputWords: [], enclave: { teeId, inputHash, outputHash } },
  };
}
