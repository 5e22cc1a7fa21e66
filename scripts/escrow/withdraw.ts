import { sendCall } from "../lib/sendCall.ts";
import {
  addressArgument,
  amountWords,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";

/** Takes a credit of the account. Errors: `escrow.badArgument`, `escrow.refused`, those of `sendCall`. */
export function withdraw(options: SendOptions & { token?: string; to?: string }): Promise<void> {
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const token = await tokenAt(context, options.token);
    const signer = await session.signer(options.account);
    const receiver =
      options.to === undefined ? signer.address : addressArgument("--to", options.to);
    const amount = await escrow.creditOf(token.address, signer.address);
    if (amount === 0n) {
      throw refuse(`the escrow owes ${signer.address} nothing of ${token.symbol}`);
    }
    console.log(`change       ${amountWords(amount, token)} of credit to ${receiver}`);
    await sendCall({
      ...{ contract: escrow, signer, name: "withdrawCredit" },
      ...{ values: [token.address, receiver] as const },
      question: session.question("Withdraw it?", options),
    });
  });
}
