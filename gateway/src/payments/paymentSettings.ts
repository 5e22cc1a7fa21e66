import type { ChannelSettings } from "../channels/channelSettings.ts";
import type { OfferSettings } from "./offers.ts";
import type { PayerLimitSettings } from "./payerLimits.ts";
import type { PriceTable } from "./prices.ts";

/** How requests are paid for. */
export type PaymentSettings = OfferSettings & {
  chainId: bigint;
  prices: PriceTable;
  /** who is paid */
  payee: string;
  /** whose results are paid for: the enclave's address form */
  node: string;
  token: { address: string; name: string; version: string };
  /** URL of the facilitator, without a slash at the end */
  facilitator: string;
  /** bits of what counts as settled, as the escrow has them */
  kinds: number;
  /** seconds that the escrow holds a payment */
  captureWindow: number;
  /** absent: nothing is paid by channel */
  channel?: ChannelSettings | undefined;
  limits: PayerLimitSettings;
  /** how long a payment may take until it is decided */
  settleMs: number;
  /** how long an unanswered payment waits for its client, and the same request of a payer counts as the same */
  retryMs: number;
};
