import { RefusedRequestError } from "../gatewayError.ts";
import type { PayerLimitSettings } from "../payments/payerLimits.ts";
import { type ChannelRecord, dayOf } from "./channelLedger.ts";

/** @throws RefusedRequestError 403 where a payer's channels are above a bound, or would be by this amount */
export function requireWithinChannelLimits(parameters: {
  /** of all channels of the payer */
  records: readonly ChannelRecord[];
  settings: PayerLimitSettings;
  amount: bigint;
}): void {
  const { amount, records, settings } = parameters;
  const { charged, failed } = dayOf(records);
  if (failed >= settings.failures) {
    throw refused("payment.tooManyFailures", "too many paid requests of this payer have failed");
  }
  if (settings.spend !== undefined && charged + amount > settings.spend) {
    throw refused("payment.spendLimit", "this payer would pay more than is taken of one in a day");
  }
}

const refused = (code: string, message: string): RefusedRequestError =>
  new RefusedRequestError({ status: 403, code, message });
