import { getAddress } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { duration } from "../lib/words.ts";
import {
  addressArgument,
  amountWords,
  creditsIn,
  type EscrowContext,
  type ReadOptions,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { kindsArgument, nodeArgument, type PaidTerms, termLines } from "./terms.ts";

/** Makes the gate of a node, at the escrow's fee of now. Errors: `escrow.badArgument`, `escrow.refused`, those of `sendChange`. */
export function openGate(
  options: SendOptions & { node: string; payee: string; kinds: string },
): Promise<void> {
  const kinds = kindsArgument(options.kinds);
  const node = nodeArgument(options.node);
  const payee = addressArgument("--payee", options.payee);
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const gates = await session.contract("ChannelGates");
    const [feeBps, feeReceiver] = await escrow.fee();
    const terms: PaidTerms = { node, payee, feeReceiver, feeBps, kinds };
    const gate = await gates.gateOf(terms);
    if ((await session.provider.getCode(gate)) !== "0x") {
      throw refuse(`there is a gate with these terms, ${gate}`);
    }
    const sender = await senderOf(session, options);
    const isSent = await sendChange(context, {
      ...{ options, sender, contract: gates, name: "open" },
      values: [terms] as const,
      changes: [`gate ${gate}, for good`, ...termLines(terms)],
      question: "Open it?",
    });
    if (!isSent && options.safe === undefined) return;
    const delay = await gates.leastWithdrawDelay();
    console.log(
      `settings     HACA_GATEWAY_GATE=${gate}, and HACA_GATEWAY_WITHDRAW_DELAY of ${delay} at least`,
    );
  });
}

/** Tells of a gate. Errors: `escrow.badArgument`, `escrow.refused`. */
export function gate(options: ReadOptions & { gate: string; json?: true }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  return withEscrow(options.network, async (context) => {
    const { session } = context;
    const found = await gateAt(context, address);
    if (found === undefined) throw refuse(`${address} is no gate of this deployment`);
    const { contract, terms } = found;
    const gates = await session.contract("ChannelGates");
    const delay = await gates.leastWithdrawDelay();
    const token = await tokenAt(context);
    const credits = await creditsIn(contract, { token: token.address, terms });
    if (options.json) {
      const value = { chainId: session.chainId, gate: address, ...terms, delay, credits };
      console.log(JSON.stringify(value, (_, it) => (typeof it === "bigint" ? String(it) : it), 2));
      return;
    }
    console.log(
      [
        `gate ${address}`,
        ...termLines(terms).map((line) => `  ${line}`),
        `  channels   with a delay of ${duration(delay)} at least`,
        ...credits.map(
          ({ account, amount }) => `  credit     ${amountWords(amount, token)} of ${account}`,
        ),
      ].join("\n"),
    );
  });
}

/**
 * A gate of this deployment. Anybody can write a contract that has terms: a gate's address is made of them.
 */
export async function gateAt(
  { session }: EscrowContext,
  address: string,
): Promise<{ contract: ContractOf<"ChannelGate">; terms: PaidTerms } | undefined> {
  const contract = contractAt({ name: "ChannelGate", address, runner: session.provider });
  const terms: PaidTerms | undefined = await contract.terms().then(
    ({ feeBps, feeReceiver, kinds, node, payee }) => ({ node, payee, feeReceiver, feeBps, kinds }),
    () => undefined,
  );
  if (terms === undefined) return undefined;
  const gates = await session.contract("ChannelGates");
  return getAddress(await gates.gateOf(terms)) === address ? { contract, terms } : undefined;
}
