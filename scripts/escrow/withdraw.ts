import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import {
  addressArgument,
  amountWords,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";

/** Takes a credit of the account. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function withdraw(options: SendOptions & { token?: string; to?: string }): Promise<void> {
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const token = await tokenAt(context, options.token);
    const sender = await senderOf(session, options);
    const receiver =
      options.to === undefined ? sender.address : addressArgument("--to", options.to);
    const amount = await escrow.creditOf(token.address, sender.address);
    if (amount === 0n) {
      throw refuse(`the escrow owes ${sender.address} nothing of ${token.symbol}`);
    }
    await sendChange(context, {
      ...{ options, sender, contract: escrow, name: "withdrawCredit" },
      values: [token.address, receiver] as const,
      changes: [`${amountWords(amount, token)} of credit to ${receiver}`],
      question: "Withdraw it?",
    });
  });
}
