import { type CommerceDeployment, commerceDeploymentAt } from "@haca/protocol/commerceEscrows";
import { isSameHex } from "@haca/protocol/isSameHex";
import { TypedDataEncoder } from "ethers";
import type { Operator } from "./facilitator.ts";
import { SIGNED_SECONDS } from "./offers.ts";
import { isOpg, type PaymentSettings } from "./paymentSettings.ts";
import { QUOTE_SECONDS } from "./quote.ts";

/** Between the clocks of this gateway and of the chain. */
const SKEW_SECONDS = 300;
/** Of the deadline, besides the window: as long as quote and signature may last. */
const BESIDES = QUOTE_SECONDS + 2 * SIGNED_SECONDS + SKEW_SECONDS;

/** Whether answers of this gateway can be paid by an operator of commerce payments; if not, why, by the name of the setting. */
export function judgeOperator(parameters: {
  settings: Pick<
    PaymentSettings,
    "captureWindow" | "chainId" | "kinds" | "node" | "payee" | "token"
  >;
  address: string;
  /** undefined where the chain has none at the address */
  operator: Operator | undefined;
}): { deployment: CommerceDeployment } | { problem: string } {
  const { address, operator, settings } = parameters;
  const { captureWindow, kinds, node, payee, token } = settings;
  const inTable = `HACA_GATEWAY_PRICES: tokens.${token.symbol}`;
  const place = isOpg(settings) ? "HACA_GATEWAY_COMMERCE_OPERATOR" : `${inTable}.operator`;
  const wrong = (reason: string) => ({ problem: `${place}: ${address}: ${reason}` });
  if (operator === undefined) return wrong("is no operator of this deployment's CommerceOperators");
  if (!isSameHex(operator.node, node)) return wrong(`is the operator of the node ${operator.node}`);
  if (!isSameHex(operator.payee, payee)) return wrong(`pays ${operator.payee}`);
  if (!isSameHex(operator.token, token.address)) return wrong(`is paid in ${operator.token}`);
  if ((kinds & ~operator.kinds) !== 0) return wrong("lacks kinds of results of enclaves");
  if (!operator.isServed) {
    return wrong(
      "the facilitator opens none of its jobs: HACA_PAYMENT_RECEIVERS lacks its payee, or HACA_PAYMENT_TOKENS its token",
    );
  }
  const mistake = tokenMistake(settings, operator);
  if (mistake !== undefined && isOpg(settings)) return wrong(`its token's ${mistake}`);
  if (mistake !== undefined) return { problem: `${inTable}.${mistake}` };
  const deployment = commerceDeploymentAt(operator.commerce);
  if (deployment === undefined) {
    return wrong(`is over the escrow ${operator.commerce}, which no stock client pays into`);
  }
  const least = operator.leastWindow + SKEW_SECONDS;
  const most = operator.mostWindow - BESIDES;
  if (captureWindow >= least && captureWindow <= most) return { deployment };
  const reason = `must be from ${least} to ${most} for the operator`;
  return { problem: `HACA_GATEWAY_CAPTURE_WINDOW: ${captureWindow}: ${reason}` };
}

/** What of a token's settings is not as the chain has it: amounts would be others, or nothing that payers sign be good. */
function tokenMistake(
  { chainId, token }: Pick<PaymentSettings, "chainId" | "token">,
  { decimals, domainSeparator }: Operator,
): string | undefined {
  if (decimals !== token.decimals) {
    return `decimals: ${token.decimals}: the token has ${decimals ?? "none"}`;
  }
  const { address: verifyingContract, name, version } = token;
  const domain = TypedDataEncoder.hashDomain({ name, version, chainId, verifyingContract });
  if (domainSeparator !== null && isSameHex(domainSeparator, domain)) return undefined;
  return `name, version: ${name}, ${version}: the token's EIP-712 domain is another`;
}
