import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { findChannel } from "./channels.ts";
import {
  amountArgument,
  amountWords,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";

/**
 * Gives the payer of a channel back what was not claimed of it, by the node or the payee; without an amount, what was counted
 * stays to be claimed. Errors: `escrow.badArgument`, `escrow.refused`, those of `findChannel`, `senderOf` and `sendChange`.
 */
export function refundChannel(
  options: SendOptions & { channel: string; amount?: string },
): Promise<void> {
  return withEscrow(options.network, async (context) => {
    const { found, gate } = await findChannel(context, options.channel);
    const { balance, channel, channelId, claimed, counted } = found;
    const { node, payee } = gate.terms;
    const sender = await senderOf(context.session, options);
    if (![node, payee].includes(sender.address)) {
      throw refuse(`${sender.address} is neither the node ${node} nor the payee ${payee}`);
    }
    const token = await tokenAt(context, channel.token);
    const rest = balance - claimed;
    const kept = counted > claimed ? counted - claimed : 0n;
    const free = rest > kept ? rest - kept : 0n;
    const amount =
      options.amount === undefined ? free : amountArgument("--amount", options.amount, token);
    if (options.amount === undefined && free === 0n && rest > 0n) {
      throw refuse(
        `all ${amountWords(rest, token)} that are left were counted: claim them, or give --amount`,
      );
    }
    if (amount === 0n || amount > rest) {
      throw refuse(
        `channel ${channelId} has ${amountWords(rest, token)} that were not claimed` +
          (amount === 0n ? "" : `, and ${amountWords(amount, token)} were to go back`),
      );
    }
    const lost = amount > free ? amount - free : 0n;
    await sendChange(context, {
      ...{ options, sender, contract: gate.contract, name: "refund" },
      values: [channel, amount] as const,
      changes: [
        `channel ${channelId}: ${amountWords(amount, token)} back to ${channel.payer}, ${amountWords(balance - amount, token)} stay`,
        ...(lost === 0n
          ? ["what is not counted yet, and is more than stays, cannot be claimed afterwards"]
          : [`${amountWords(lost, token)} of it were counted, and cannot be claimed afterwards`]),
      ],
      question: "Give it back?",
    });
  });
}
