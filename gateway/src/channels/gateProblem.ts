import { isSameHex } from "@haca/protocol/isSameHex";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import type { ChannelSettings } from "./channelSettings.ts";
import type { Gate } from "./channelSource.ts";

/** Why answers of this gateway could not be paid by channels to a gate, by the name of the setting; undefined: they can. */
export function gateProblem(parameters: {
  settings: Pick<PaymentSettings, "kinds" | "node" | "payee">;
  channel: ChannelSettings;
  /** undefined where the chain has none at the address */
  gate: Gate | undefined;
}): string | undefined {
  const { channel, gate, settings } = parameters;
  const wrong = (reason: string) => `HACA_GATEWAY_GATE: ${channel.gate}: ${reason}`;
  if (gate === undefined) return wrong("is no gate of this deployment's ChannelGates");
  if (!isSameHex(gate.node, settings.node)) return wrong(`is the gate of the node ${gate.node}`);
  if (!isSameHex(gate.payee, settings.payee)) return wrong(`pays ${gate.payee}`);
  if ((settings.kinds & ~gate.kinds) !== 0) return wrong("lacks kinds of results of enclaves");
  if (channel.withdrawDelay >= gate.leastWithdrawDelay) return undefined;
  return `HACA_GATEWAY_WITHDRAW_DELAY: must be ${gate.leastWithdrawDelay} at least, so that a result can be settled and claimed`;
}
