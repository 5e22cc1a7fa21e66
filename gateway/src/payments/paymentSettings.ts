import { isSameHex } from "@haca/protocol/isSameHex";
import type { Network } from "@x402/core/types";
import type { ChannelSettings } from "../channels/channelSettings.ts";
import type { Route } from "./payment.ts";
import { OPG, type PriceTable } from "./prices.ts";

/** A token, and what payers sign payments in it by. */
export type PaidToken = {
  /** what the price table calls it */
  symbol: string;
  address: string;
  /** of its EIP-712 domain */
  name: string;
  version: string;
  decimals: number;
};

/** A token that requests are paid in: by which routes, and what answers cost in it. */
export type PricedToken = {
  token: PaidToken;
  /** in the order of the offers */
  routes: readonly Route[];
  /** operator of commerce payments in it */
  operator?: string | undefined;
  prices: PriceTable;
};

/** One besides OPG, which is paid by `commerce` alone. */
export type OtherToken = PricedToken & {
  /** smallest units that are held of one payer or were paid in a day at most; undefined: any */
  spend: bigint | undefined;
};

/** What one payer may do in a day, the last 24 hours. */
export type PayerLimitSettings = {
  /** smallest units of OPG that are held or were paid; undefined: any */
  spend: bigint | undefined;
  /** answers that failed after they were paid: each has cost the upstream, and nothing was paid for it */
  failures: number;
};

/** How requests are paid for. What is of a token is OPG's, but for `inToken`. */
export type PaymentSettings = PricedToken & {
  chainId: bigint;
  network: Network;
  /** of InferenceEscrow */
  escrow: string | undefined;
  others?: readonly OtherToken[] | undefined;
  /** who is paid */
  payee: string;
  /** whose results are paid for: the enclave's address form */
  node: string;
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

export const isOpg = ({ token }: Pick<PricedToken, "token">): boolean => token.symbol === OPG;

/** The settings as they are for each token that requests are paid in, OPG first. */
export const inEachToken = (settings: PaymentSettings): PaymentSettings[] => [
  settings,
  ...(settings.others ?? []).map(({ operator, prices, routes, token }) => ({
    ...{ ...settings, escrow: undefined, channel: undefined },
    ...{ operator, prices, routes, token },
  })),
];

/** The settings as they are for one token; undefined where nothing is paid in it. */
export const inToken = (settings: PaymentSettings, address: string): PaymentSettings | undefined =>
  inEachToken(settings).find(({ token }) => isSameHex(token.address, address));
