import { getAddress } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { duration } from "../lib/words.ts";
import {
  addressArgument,
  amountWords,
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
    const gates = await session.contract("ChannelGates");
    const contract = contractAt({ name: "ChannelGate", address, runner: session.provider });
    const terms = await termsOf(contract);
    // Anybody can write a contract that has terms: a gate's address is made of them.
    if (terms === undefined || getAddress(await gates.gateOf(terms)) !== address) {
      throw refuse(`${address} is no gate of this deployment`);
    }
    const delay = await gates.leastWithdrawDelay();
    const token = await tokenAt(context);
    const credits = await creditsOf(context, { contract, terms });
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

async function termsOf(contract: ContractOf<"ChannelGate">): Promise<PaidTerms | undefined> {
  try {
    const { feeBps, feeReceiver, kinds, node, payee } = await contract.terms();
    return { node, payee, feeReceiver, feeBps, kinds };
  } catch {
    return undefined;
  }
}

/** What failed transfers of OPG left payee and receiver of the fee. */
async function creditsOf(
  context: EscrowContext,
  { contract, terms }: { contract: ContractOf<"ChannelGate">; terms: PaidTerms },
): Promise<{ account: string; amount: bigint }[]> {
  const { address } = await tokenAt(context);
  const credits: { account: string; amount: bigint }[] = [];
  for (const account of new Set([terms.payee, terms.feeReceiver])) {
    const amount = await contract.creditOf(address, account);
    if (amount > 0n) credits.push({ account, amount });
  }
  return credits;
}
