import { encodePaymentRequiredHeader, encodePaymentResponseHeader } from "@x402/core/http";
import type { PaymentRequirements } from "@x402/core/types";
import { RefusedRequestError } from "../gatewayError.ts";
import { SIGNED_SECONDS } from "../payments/offers.ts";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import type { Quote } from "../payments/quote.ts";
import type { ChannelRecord } from "./channelLedger.ts";
import type { DepositMethod } from "./channelPayload.ts";
import { CHANNEL_REFUSALS, type ChannelRefusalCode } from "./channelRefusals.ts";
import type { ChannelSettings } from "./channelSettings.ts";
import type { ChannelState } from "./channelSource.ts";

export const CHANNEL_SCHEME = "batch-settlement";

/** What a channel has to be, and a voucher for a request to say; without a request nothing is to be paid. */
export function channelOffer(parameters: {
  settings: PaymentSettings;
  channel: ChannelSettings;
  quote: Quote | undefined;
  /** by which a deposit comes in */
  method?: DepositMethod;
}): PaymentRequirements {
  const { channel, method = "eip3009", quote, settings } = parameters;
  const { gate, minDeposit, withdrawDelay } = channel;
  const { address, name, version } = settings.token;
  return {
    ...{ scheme: CHANNEL_SCHEME, network: settings.network, asset: quote?.token ?? address },
    ...{ amount: quote?.amount ?? "0", payTo: gate, maxTimeoutSeconds: SIGNED_SECONDS },
    extra: {
      ...{ name, version, receiverAuthorizer: gate, withdrawDelay },
      assetTransferMethod: method,
      ...(minDeposit === undefined ? {} : { minDeposit: String(minDeposit) }),
      ...(quote && { haca: quote }),
    },
  };
}

/**
 * The refusal that has the offers; and, for who shows a voucher of a channel that is known, what was charged of it by which
 * voucher: its payer's own signature proves it. Everybody may know that one: it was used, and pays for nothing more.
 */
export function channelRefusal(parameters: {
  code: ChannelRefusalCode;
  /** the first is what a client takes that can take all */
  offers: readonly PaymentRequirements[];
  url: string;
  known?: { record: ChannelRecord; state: ChannelState } | undefined;
  /** in place of the code's, where the facilitator has said why */
  reason?: string | undefined;
}): RefusedRequestError {
  const { code, known, offers, url } = parameters;
  const { reason, words } = CHANNEL_REFUSALS[code];
  const required = {
    ...{ x402Version: 2, error: parameters.reason ?? reason },
    resource: {
      ...{ url, description: "a signed answer of a language model", mimeType: "application/json" },
    },
    accepts: offers.map((offer) => ({
      ...{ ...offer, extra: { ...offer.extra, ...(known && corrective(known)) } },
    })),
  };
  return new RefusedRequestError({
    ...{ status: 402, code, message: words },
    headers: {
      "payment-required": encodePaymentRequiredHeader(required),
      "cache-control": "no-store",
    },
  });
}

const corrective = ({ record, state }: { record: ChannelRecord; state: ChannelState }) => ({
  channelState: stateView(record.id, state, record.charged),
  ...(record.voucher && {
    voucherState: {
      ...{ signedMaxClaimable: record.voucher.amount, signature: record.voucher.signature },
    },
  }),
});

/** As x402's clients read what became of their request for a refund. */
export function refundHeaders(parameters: {
  network: PaymentSettings["network"];
  payer: string;
  transaction: string;
}): Record<string, string> {
  const settled = { success: true, ...parameters };
  return {
    "payment-response": encodePaymentResponseHeader(settled),
    "cache-control": "private, no-store",
  };
}

const stateView = (channelId: string, state: ChannelState | undefined, charged: string) => ({
  channelId,
  ...(state && {
    ...{ balance: String(state.balance), totalClaimed: String(state.totalClaimed) },
    withdrawRequestedAt: state.withdrawRequestedAt,
  }),
  chargedCumulativeAmount: charged,
});

/** What an answer tells of its payment: what was charged of the channel, for it and in all. */
export function channelHeaders(parameters: {
  network: PaymentSettings["network"];
  payer: string;
  channelId: string;
  /** how the channel stood; undefined for an answer that is shown again */
  state: ChannelState | undefined;
  /** of the deposit; empty where there was none */
  transaction: string;
  charged: bigint;
  chargedInAll: bigint;
}): Record<string, string> {
  const { channelId, charged, chargedInAll, network, payer, state, transaction } = parameters;
  const extra = {
    chargedAmount: String(charged),
    channelState: stateView(channelId, state, String(chargedInAll)),
  };
  const settled = { success: true, transaction, network, payer, amount: String(charged), extra };
  return {
    "payment-response": encodePaymentResponseHeader(settled),
    "cache-control": "private, no-store",
  };
}
