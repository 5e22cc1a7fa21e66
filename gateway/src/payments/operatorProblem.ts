import { type CommerceDeployment, commerceDeploymentAt } from "@haca/protocol/commerceEscrows";
import { isSameHex } from "@haca/protocol/isSameHex";
import type { Operator } from "./facilitator.ts";
import { SIGNED_SECONDS } from "./offers.ts";
import type { PaymentSettings } from "./paymentSettings.ts";
import { QUOTE_SECONDS } from "./quote.ts";

/** Between the clocks of this gateway and of the chain. */
const SKEW_SECONDS = 300;
/** Of the deadline, besides the window: as long as quote and signature may last. */
const BESIDES = QUOTE_SECONDS + 2 * SIGNED_SECONDS + SKEW_SECONDS;

/** Whether answers of this gateway can be paid by an operator of commerce payments; if not, why, by the name of the setting. */
export function judgeOperator(parameters: {
  settings: Pick<PaymentSettings, "captureWindow" | "kinds" | "node" | "payee" | "token">;
  address: string;
  /** undefined where the chain has none at the address */
  operator: Operator | undefined;
}): { deployment: CommerceDeployment } | { problem: string } {
  const { address, operator, settings } = parameters;
  const { captureWindow, kinds, node, payee, token } = settings;
  const wrong = (reason: string) => ({
    problem: `HACA_GATEWAY_COMMERCE_OPERATOR: ${address}: ${reason}`,
  });
  if (operator === undefined) return wrong("is no operator of this deployment's CommerceOperators");
  if (!isSameHex(operator.node, node)) return wrong(`is the operator of the node ${operator.node}`);
  if (!isSameHex(operator.payee, payee)) return wrong(`pays ${operator.payee}`);
  if (!isSameHex(operator.token, token.address)) return wrong(`is paid in ${operator.token}`);
  if ((kinds & ~operator.kinds) !== 0) return wrong("lacks kinds of results of enclaves");
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
