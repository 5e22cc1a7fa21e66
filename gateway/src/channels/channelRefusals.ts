import { RefusedRequestError } from "../gatewayError.ts";

/** As x402's clients read them: after the first two they look at what the refusal says of the channel, and sign anew. */
export const OTHER_SUM = "invalid_batch_settlement_evm_cumulative_amount_mismatch";
export const BELOW_CLAIMED = "invalid_batch_settlement_evm_cumulative_below_claimed";

/** Why a request is asked to pay, or to pay anew; `reason` is x402's. */
export const CHANNEL_REFUSALS = {
  "payment.required": {
    words: "this model's answers are paid for: see the header PAYMENT-REQUIRED",
    reason: "Payment required",
  },
  "payment.quoteUnknown": {
    words: "the payment is for a quote that is too old, or none of this gateway",
    reason: "Payment required",
  },
  "payment.otherRequest": {
    words: "the payment is for another request",
    reason: "Payment required",
  },
  "payment.refused": {
    words: "the deposit was refused: see the header PAYMENT-REQUIRED",
    reason: "invalid_batch_settlement_evm_deposit_transaction_failed",
  },
  "channel.otherId": {
    words: "voucher.channelId: is not made of this channel's terms",
    reason: "invalid_batch_settlement_evm_channel_id_mismatch",
  },
  "channel.otherReceiver": {
    words: "channelConfig.receiver: must be the gate that was offered",
    reason: "invalid_batch_settlement_evm_receiver_mismatch",
  },
  "channel.otherAuthorizer": {
    words: "channelConfig.receiverAuthorizer: must be the gate that was offered",
    reason: "invalid_batch_settlement_evm_receiver_authorizer_mismatch",
  },
  "channel.otherToken": {
    words: "channelConfig.token: must be the token that was offered",
    reason: "invalid_batch_settlement_evm_token_mismatch",
  },
  "channel.otherDelay": {
    words: "channelConfig.withdrawDelay: must be the delay that was offered",
    reason: "invalid_batch_settlement_evm_withdraw_delay_mismatch",
  },
  "channel.noKey": {
    words: "channelConfig.payerAuthorizer: vouchers that a contract signs are not taken",
    reason: "invalid_batch_settlement_evm_voucher_signature",
  },
  "channel.notSigned": {
    words: "voucher.signature: is not of the channel's payerAuthorizer",
    reason: "invalid_batch_settlement_evm_voucher_signature",
  },
  "channel.otherSum": {
    words: "voucher.maxClaimableAmount: must be what was charged so far and the price",
    reason: OTHER_SUM,
  },
  "channel.usedVoucher": {
    words:
      "voucher.maxClaimableAmount: is that of a voucher that was used: what was charged so far is told anew",
    reason: OTHER_SUM,
  },
  "channel.belowClaimed": {
    words: "voucher.maxClaimableAmount: is below what was claimed of the channel and the price",
    reason: BELOW_CLAIMED,
  },
  "channel.tooLittle": {
    words: "voucher.maxClaimableAmount: is more than the channel has",
    reason: "invalid_batch_settlement_evm_cumulative_exceeds_balance",
  },
  "channel.smallDeposit": {
    words: "deposit.amount: is below the least deposit that was offered",
    reason: "invalid_batch_settlement_evm_deposit_below_min_deposit",
  },
  "channel.withdrawing": {
    words: "a withdrawal from the channel is asked for: what it has may be gone before it is paid",
    reason: "invalid_batch_settlement_evm_insufficient_balance",
  },
  "refund.unknown": {
    words:
      "nothing was charged of this channel by this gateway: what is in it comes back by a withdrawal",
    reason: "invalid_batch_settlement_evm_refund_payload",
  },
  "refund.otherSum": {
    words:
      "voucher.maxClaimableAmount: must be the sum that is told, so that nobody but the payer asks",
    reason: OTHER_SUM,
  },
  "refund.notProved": {
    words:
      "all that the payer has signed is claimed, and public: what is left comes back by a withdrawal",
    reason: "invalid_batch_settlement_evm_refund_payload",
  },
  "refund.nothing": {
    words: "nothing is left in the channel beyond what was charged",
    reason: "invalid_batch_settlement_evm_refund_no_balance",
  },
  "refund.amount": {
    words: "amount: is more than what is left, or less than this gateway gives back",
    reason: "invalid_batch_settlement_evm_refund_amount_invalid",
  },
  "refund.refused": {
    words: "the worker gives nothing back: see the header PAYMENT-REQUIRED",
    reason: "invalid_batch_settlement_evm_refund_transaction_failed",
  },
} as const;
export type ChannelRefusalCode = keyof typeof CHANNEL_REFUSALS;

/** The header of the payment is none. */
export const malformedChannel = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "payment.malformed", field: "payment-signature" },
    message:
      "payment-signature: is no voucher of x402's batch-settlement in version 2, nor one with a deposit by EIP-3009 or Permit2",
  });

/** A channel has one request at a time: what the next voucher has to say is not known before. */
export const busyChannel = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 409, code: "channel.busy", retryAfter: 1 },
    message: "another request of this channel is being answered",
  });

/** The header is none of a refund. */
export const malformedRefund = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "payment.malformed", field: "payment-signature" },
    message: "payment-signature: is no refund of x402's batch-settlement in version 2",
  });

/** Until it is known what it took, a channel pays for nothing. */
export const refundPending = (cause?: unknown): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "channel.refunding", retryAfter: 5, cause },
    message: "a refund of this channel is under way: ask again",
  });

/** Without a note nothing is answered. */
export const notNoted = (cause: unknown): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.notKept", retryAfter: 5, cause },
    message: "the gateway cannot note payments now, and takes none",
  });

/** The deposit is made, and the endpoint that was asked has not seen it. */
export const undecidedDeposit = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.pending", retryAfter: 5 },
    message: "the deposit is not seen yet: send the same request with the same payment again",
  });

/** Nobody is asked for money that could not be claimed. */
export const notServed = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.notTaken", retryAfter: 60 },
    message: "payments by channel cannot be taken now",
  });
