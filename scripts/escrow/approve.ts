import { PERMIT2_ADDRESS } from "@haca/protocol/signedPayments";
import { contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import {
  amountArgument,
  amountWords,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";

/** Lets Permit2 move tokens of the account. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function approve(options: SendOptions & { amount: string; token?: string }): Promise<void> {
  return withEscrow(options.network, async (context) => {
    const { session } = context;
    const token = await tokenAt(context, options.token);
    const amount = amountArgument("amount", options.amount, token);
    const sender = await senderOf(session, options);
    // Any token has this function of OPG's.
    const contract = contractAt({ name: "OPG", address: token.address, runner: session.provider });
    const before = await contract.allowance(sender.address, PERMIT2_ADDRESS);
    if (before === amount) {
      throw refuse(`Permit2 may move ${amountWords(amount, token)} of ${sender.address} already`);
    }
    await sendChange(context, {
      ...{ options, sender, contract, name: "approve" },
      values: [PERMIT2_ADDRESS, amount] as const,
      changes: [
        `Permit2 ${PERMIT2_ADDRESS} may move of ${sender.address}, by permits that it signs: ` +
          `${amountWords(before, token)} -> ${amountWords(amount, token)}`,
      ],
      question: "Approve it?",
    });
  });
}
