import { contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import {
  addressArgument,
  amountWords,
  type EscrowContext,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { gateAt } from "./gate.ts";
import { operatorAt } from "./operator.ts";

/** Takes a credit of the account. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function withdraw(
  options: SendOptions & { from?: string; token?: string; to?: string },
): Promise<void> {
  return withEscrow(options.network, async (context) => {
    const from = await debtorOf(context, options.from);
    const runner = context.session.provider;
    // Credits are the same part of all three.
    const contract = contractAt({ name: "InferenceEscrow", address: from.address, runner });
    const token = await tokenAt(context, options.token ?? from.token);
    const sender = await senderOf(context.session, options);
    const receiver =
      options.to === undefined ? sender.address : addressArgument("--to", options.to);
    const amount = await contract.creditOf(token.address, sender.address);
    if (amount === 0n) {
      throw refuse(`${from.words} owes ${sender.address} nothing of ${token.symbol}`);
    }
    await sendChange(context, {
      ...{ options, sender, contract, name: "withdrawCredit" },
      values: [token.address, receiver] as const,
      changes: [`${amountWords(amount, token)} of credit to ${receiver}`],
      question: "Withdraw it?",
    });
  });
}

type Debtor = {
  address: string;
  words: string;
  /** in which it pays, if not in OPG */
  token?: string;
};

/** The escrow, or a gate or an operator of this deployment. */
async function debtorOf(context: EscrowContext, given: string | undefined): Promise<Debtor> {
  if (given === undefined) {
    return { address: await context.escrow.getAddress(), words: "the escrow" };
  }
  const address = addressArgument("--from", given);
  const { contracts } = context.session.book;
  const gate = contracts.ChannelGates && (await gateAt(context, address));
  if (gate !== undefined) return { address, words: `gate ${address}` };
  const operator = contracts.CommerceOperators && (await operatorAt(context, address));
  if (operator === undefined) {
    throw refuse(`${address} is neither a gate nor an operator of this deployment`);
  }
  return { address, words: `operator ${address}`, token: operator.terms.token };
}
