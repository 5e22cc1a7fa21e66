import { isSameHex } from "@haca/protocol/isSameHex";
import { ConfigurationError } from "../gatewayError.ts";
import type { Route } from "../payments/payment.ts";
import type { OtherToken } from "../payments/paymentSettings.ts";
import type { TableToken } from "../payments/prices.ts";

const [PRICES, ROUTES, SPEND] = [
  ...["HACA_GATEWAY_PRICES", "HACA_GATEWAY_ROUTES", "HACA_GATEWAY_SPEND_LIMIT"],
] as [string, string, string];

/** The tokens besides OPG that requests are paid in, and the routes that are left to OPG. @throws ConfigurationError */
export function readTokens(parameters: {
  /** of the price table */
  tokens: readonly TableToken[];
  opg: string;
  /** smallest units of OPG that one payer pays in a day at most */
  spend: bigint | undefined;
  /** routes of the settings, and the operator for OPG */
  routes: readonly Route[];
  operator: string | undefined;
}): { others: OtherToken[]; routes: readonly Route[] } {
  const { opg, operator, routes, spend, tokens } = parameters;
  const [first] = tokens;
  if (first === undefined) return { others: [], routes };
  if (!routes.includes("commerce")) {
    throw wrong(ROUTES, `lacks commerce, by which ${first.symbol} of ${PRICES} is paid`);
  }
  // Where OPG is paid otherwise, it need not be paid so, too.
  const isOpgToo = operator !== undefined || routes.length === 1;
  return {
    others: tokens.map((token) => otherOf({ token, opg, spend })),
    routes: isOpgToo ? routes : routes.filter((route) => route !== "commerce"),
  };
}

function otherOf(parameters: {
  token: TableToken;
  opg: string;
  spend: bigint | undefined;
}): OtherToken {
  const { opg } = parameters;
  const { operator, prices, spend, ...token } = parameters.token;
  const place = `tokens.${token.symbol}`;
  if (isSameHex(token.address, opg)) throw wrong(PRICES, `${place}.address: is OPG's`);
  if (spend === undefined && parameters.spend !== undefined) {
    throw wrong(PRICES, `${place}.spendLimit: is not set, and ${SPEND} is: one limits both`);
  }
  if (spend !== undefined && parameters.spend === undefined) {
    throw wrong(SPEND, `is not set, and ${place}.spendLimit of ${PRICES} is: one limits both`);
  }
  return { token, operator, prices, routes: ["commerce"], spend };
}

const wrong = (name: string, reason: string): ConfigurationError =>
  new ConfigurationError({
    ...{ code: "configuration.wrong", message: `${name}: ${reason}`, details: { name } },
  });
