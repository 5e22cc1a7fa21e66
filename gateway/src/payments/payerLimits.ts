import { isSameHex } from "@haca/protocol/isSameHex";
import { RefusedRequestError } from "../gatewayError.ts";
import { isGivenBack } from "./grant.ts";
import type { GrantLedger } from "./grantLedger.ts";
import type { PaymentSettings } from "./paymentSettings.ts";

const DAY_MS = 86_400_000;

/** In parts of which a limit is. */
const WHOLE = 10n ** 30n;

/**
 * What a payer has spent of each token's limit adds up: who changes the token has no more than who does not.
 * @throws RefusedRequestError 403 where a payer is above a bound, or would be by this amount
 */
export function requireWithinLimits(parameters: {
  ledger: Pick<GrantLedger, "of">;
  settings: Pick<PaymentSettings, "limits" | "others" | "token">;
  payer: string;
  /** address of the token that the payment is in */
  token: string;
  amount: bigint;
}): void {
  const { amount, ledger, payer, settings } = parameters;
  const { limits, others = [], token: opg } = settings;
  const since = Date.now() - DAY_MS;
  const grants = ledger.of(payer).filter(({ at }) => at >= since);
  // Of what was never taken the payer may know nothing: anybody can name them.
  const failed = grants.filter((grant) => isGivenBack(grant) && grant.transaction !== null);
  if (failed.length >= limits.failures) throw tooManyFailures();
  const paid = grants
    // Nor does what anybody may have named count before it is taken.
    .filter((grant) => !isGivenBack(grant) && !(grant.isUnsigned && grant.state === "opening"))
    .map((grant) => ({
      token: grant.job?.payment.token ?? opg.address,
      amount: BigInt(grant.amount),
    }));
  paid.push({ token: parameters.token, amount });
  const bounds = [{ token: opg, spend: limits.spend }, ...others];
  const parts = bounds.reduce((sum, { spend, token }) => {
    const inIt = paid.filter((one) => isSameHex(one.token, token.address));
    const spent = inIt.reduce((all, one) => all + one.amount, 0n);
    return spend === undefined ? sum : sum + partOf(spent, spend);
  }, 0n);
  if (parts > WHOLE) throw aboveSpendLimit();
}

/** Rounded up, so that more than the limit is more than the whole. */
const partOf = (spent: bigint, limit: bigint): bigint =>
  limit === 0n ? (spent === 0n ? 0n : 2n * WHOLE) : (spent * WHOLE + limit - 1n) / limit;

export const tooManyFailures = (): RefusedRequestError =>
  refused("payment.tooManyFailures", "too many paid requests of this payer have failed");

export const aboveSpendLimit = (): RefusedRequestError =>
  refused("payment.spendLimit", "this payer would pay more than is taken of one in a day");

const refused = (code: string, message: string): RefusedRequestError =>
  new RefusedRequestError({ status: 403, code, message });
