import type { OtherToken, PaymentSettings } from "../../src/payments/paymentSettings.ts";
import type { Price } from "../../src/payments/prices.ts";
import { OPG_TOKEN, operatorOf, PaidBed } from "./paidBed.ts";

const addressOf = (byte: string) => `0x${byte.repeat(20)}`;
export const OPERATOR = addressOf("66");
export const USDC_OPERATOR = addressOf("67");
export const USDC_TOKEN = {
  ...{ symbol: "USDC", address: addressOf("68"), name: "USD Coin", version: "2", decimals: 6 },
};
/** Smallest units of USDC for which `PRICE` of OPG is a far larger number. */
export const DOLLARS = 20n;

/** A gateway that is paid in OPG and, into the public escrow, in USDC. */
export async function startInTwoTokens({
  usdc,
  ...changes
}: Partial<PaymentSettings> & { usdc?: Partial<OtherToken> } = {}): Promise<PaidBed> {
  const models = new Map<string, Price>([["m", { amount: DOLLARS }]]);
  const other: OtherToken = {
    ...{ token: USDC_TOKEN, operator: USDC_OPERATOR, routes: ["commerce"], spend: undefined },
    ...{ prices: { models, rate: undefined }, ...usdc },
  };
  const bed = await PaidBed.start({
    ...{ routes: ["escrow", "exact", "commerce"], operator: OPERATOR, others: [other], ...changes },
  });
  bed.operators.set(OPERATOR, operatorOf(OPG_TOKEN));
  bed.operators.set(USDC_OPERATOR, operatorOf(USDC_TOKEN));
  return bed;
}
