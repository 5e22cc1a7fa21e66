import { Contract, getAddress, type Provider } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { duration, printable } from "../lib/words.ts";
import {
  addressArgument,
  amountWords,
  creditsIn,
  type EscrowContext,
  type ReadOptions,
  refuse,
  type SendOptions,
  type Token,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { kindsArgument, nodeArgument, type PaidTerms, termLines } from "./terms.ts";

type OperatorTerms = PaidTerms & { token: string };

/** Makes the operator of a node, at the escrow's fee of now. Errors: `escrow.badArgument`, `escrow.refused`, those of `sendChange`. */
export function createOperator(
  options: SendOptions & { node: string; payee: string; token?: string; kinds: string },
): Promise<void> {
  const kinds = kindsArgument(options.kinds);
  const node = nodeArgument(options.node);
  const payee = addressArgument("--payee", options.payee);
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const operators = await session.contract("CommerceOperators");
    const token = await tokenAt(context, options.token);
    const [feeBps, feeReceiver] = await escrow.fee();
    const terms = { node, payee, token: token.address, feeReceiver, feeBps, kinds };
    const address = await operators.operatorOf(terms);
    if ((await session.provider.getCode(address)) !== "0x") {
      throw refuse(`there is an operator with these terms, ${address}`);
    }
    const isSent = await sendChange(context, {
      ...{ options, sender: await senderOf(session, options), contract: operators, name: "create" },
      values: [terms] as const,
      changes: [`operator ${address}, for good`, ...linesOf(terms, token)],
      question: "Make it?",
    });
    if (!isSent && options.safe === undefined) return;
    console.log(`settings     ${await settingsFor(context, token, address)}`);
  });
}

/** What a gateway is told of an operator: OPG's is a setting, another token's stands in the price table. */
async function settingsFor(
  { session }: EscrowContext,
  { address, decimals }: Token,
  operator: string,
): Promise<string> {
  if (address === addressOf(session.book, "OPG")) {
    return `HACA_GATEWAY_ROUTES with commerce, and HACA_GATEWAY_COMMERCE_OPERATOR=${operator}`;
  }
  const { name, version } = await domainOf(session.provider, address);
  const entry = { address, name, version, decimals, operator };
  return (
    `HACA_GATEWAY_ROUTES with commerce, in HACA_GATEWAY_PRICES "tokens": { "<its name there>": ${JSON.stringify(entry)} }, ` +
    `and HACA_PAYMENT_TOKENS=${address} of the facilitator`
  );
}

const DOMAIN = ["name", "version"].map((it) => `function ${it}() view returns (string)`);

/** What a token's EIP-712 domain most likely has; a gateway's `check` compares what it makes with the chain's. */
async function domainOf(
  provider: Provider,
  token: string,
): Promise<{ name: string; version: string }> {
  const contract = new Contract(token, DOMAIN, provider);
  const ask = async (name: string): Promise<string> =>
    printable(
      await contract
        .getFunction(name)()
        .catch(() => "<unknown>"),
    );
  return { name: await ask("name"), version: await ask("version") };
}

/** Tells of an operator. Errors: `escrow.badArgument`, `escrow.refused`. */
export function operator(options: ReadOptions & { operator: string; json?: true }): Promise<void> {
  const address = addressArgument("operator", options.operator);
  return withEscrow(options.network, async (context) => {
    const { session } = context;
    const found = await operatorAt(context, address);
    if (found === undefined) throw refuse(`${address} is no operator of this deployment`);
    const { contract, terms } = found;
    const operators = await session.contract("CommerceOperators");
    const token = await tokenAt(context, terms.token);
    const commerce = await contract.COMMERCE();
    const leastWindow = await operators.leastWindow(terms.kinds);
    const credits = await creditsIn(contract, { token: terms.token, terms });
    if (options.json) {
      const { chainId } = session;
      const value = { chainId, operator: address, commerce, ...terms, leastWindow, credits };
      console.log(JSON.stringify(value, (_, it) => (typeof it === "bigint" ? String(it) : it), 2));
      return;
    }
    console.log(
      [
        `operator ${address}`,
        ...linesOf(terms, token).map((line) => `  ${line}`),
        `  held in    the public escrow ${commerce}`,
        `  deadlines  ${duration(leastWindow)} after the opening at least`,
        ...credits.map(
          ({ account, amount }) => `  credit     ${amountWords(amount, token)} of ${account}`,
        ),
      ].join("\n"),
    );
  });
}

/** An operator of this deployment. Anybody can write a contract that has terms: an operator's address is made of them. */
export async function operatorAt(
  { session }: EscrowContext,
  address: string,
): Promise<{ contract: ContractOf<"CommerceOperator">; terms: OperatorTerms } | undefined> {
  const contract = contractAt({ name: "CommerceOperator", address, runner: session.provider });
  const terms: OperatorTerms | undefined = await contract.terms().then(
    ({ feeBps, feeReceiver, kinds, node, payee, token }) => ({
      ...{ node, payee, token, feeReceiver, feeBps, kinds },
    }),
    () => undefined,
  );
  if (terms === undefined) return undefined;
  const operators = await session.contract("CommerceOperators");
  return getAddress(await operators.operatorOf(terms)) === address
    ? { contract, terms }
    : undefined;
}

const linesOf = (terms: PaidTerms, token: Token): string[] => [
  ...[...termLines(terms), `paid in    ${token.symbol}`],
];
