import { RefusedRequestError } from "../gatewayError.ts";
import type { Grant } from "./grant.ts";
import type { GrantLedger } from "./grantLedger.ts";

const DAY_MS = 86_400_000;

/** What one payer may do in a day, the last 24 hours. */
export type PayerLimitSettings = {
  /** smallest units that are held or were paid; undefined: any */
  spend: bigint | undefined;
  /** answers that failed after they were paid: each has cost the upstream, and nothing was paid for it */
  failures: number;
};

/** @throws RefusedRequestError 403 where a payer is above a bound, or would be by this amount */
export function requireWithinLimits(parameters: {
  ledger: GrantLedger;
  settings: PayerLimitSettings;
  payer: string;
  amount: bigint;
}): void {
  const { amount, ledger, payer, settings } = parameters;
  const since = Date.now() - DAY_MS;
  const grants = ledger.of(payer).filter(({ at }) => at >= since);
  // Of what was never taken the payer may know nothing: anybody can name them.
  const failed = grants.filter((grant) => isFailed(grant) && grant.transaction !== null);
  if (failed.length >= settings.failures) throw tooManyFailures();
  if (settings.spend === undefined) return;
  // Nor does what anybody may have named count before it is taken.
  const isCounted = (grant: Grant) =>
    !isFailed(grant) && !(grant.isUnsigned && grant.state === "opening");
  const spent = grants.filter(isCounted).reduce((sum, grant) => sum + BigInt(grant.amount), 0n);
  if (spent + amount > settings.spend) throw aboveSpendLimit();
}

const isFailed = ({ state }: Grant): boolean => state === "failed" || state === "ended";

export const tooManyFailures = (): RefusedRequestError =>
  refused("payment.tooManyFailures", "too many paid requests of this payer have failed");

export const aboveSpendLimit = (): RefusedRequestError =>
  refused("payment.spendLimit", "this payer would pay more than is taken of one in a day");

const refused = (code: string, message: string): RefusedRequestError =>
  new RefusedRequestError({ status: 403, code, message });
