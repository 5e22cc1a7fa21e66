import { aboveSpendLimit, tooManyFailures } from "../payments/payerLimits.ts";
import type { PayerLimitSettings } from "../payments/paymentSettings.ts";
import { type ChannelRecord, dayOf } from "./channelLedger.ts";

/** A request that is being answered: who signed its voucher, and the most that it costs, until what it costs is noted. */
export type Running = { signer: string; most: bigint };

/** @throws RefusedRequestError 403 where a payer's channels are above a bound, or would be by this amount */
export function requireWithinChannelLimits(parameters: {
  /** of all channels of the payer */
  records: readonly ChannelRecord[];
  settings: PayerLimitSettings;
  /** of all payers */
  running: Iterable<Running>;
  asked: Running;
}): void {
  const { asked, records, running, settings } = parameters;
  const { charged, failed } = dayOf(records);
  if (failed >= settings.failures) throw tooManyFailures();
  const amount = [...running]
    .filter(({ signer }) => signer === asked.signer)
    .reduce((sum, { most }) => sum + most, asked.most);
  if (settings.spend !== undefined && charged + amount > settings.spend) throw aboveSpendLimit();
}
