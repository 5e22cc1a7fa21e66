import { writeFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractName } from "@haca/protocol/contracts";
import { userPath } from "@haca/protocol/userPath";
import type { ChainSession } from "./chainSession.ts";
import type { ArgumentsOf, ChangeName, ContractOf } from "./contracts.ts";
import { explainError } from "./explainError.ts";
import { safeBatch } from "./safeBatch.ts";
import { sendCall } from "./sendCall.ts";
import type { Sender, SenderOptions } from "./sender.ts";
import { opg } from "./words.ts";

/** One call of a contract, and what the chain will be like afterwards. */
export type Change<Name extends ContractName, Function extends ChangeName<Name>> = {
  contract: ContractOf<Name>;
  name: Function;
  values: ArgumentsOf<Name, Function>;
  /** lines in words, said before anything is asked */
  changes: readonly string[];
  question: string;
  /** OPG that the call takes from the sender, who has to allow it first */
  takes?: bigint;
};

/**
 * Says what changes, asks, and sends; where the call takes OPG that is not allowed yet, after an approval of exactly that much in
 * a transaction of its own: the contract takes no permits. With `--safe` both are written to a file instead. Whether the
 * answer was yes. Errors: `chain.lacksTokens`, those of `sendCall`.
 */
export async function sendChange<Name extends ContractName, Function extends ChangeName<Name>>(
  { session }: { session: ChainSession },
  parameters: { options: SenderOptions; sender: Sender } & Change<Name, Function>,
): Promise<boolean> {
  const { changes, contract, name, options, sender, takes = 0n, values } = parameters;
  const target = await contract.getAddress();
  const token = await session.contract("OPG");
  const isShort = takes > 0n && (await token.allowance(sender.address, target)) < takes;
  if (takes > 0n) {
    const balance = await token.balanceOf(sender.address);
    if (balance < takes) {
      throw new BaseError({
        code: "chain.lacksTokens",
        message: `${sender.address} has ${opg(balance)}, and ${opg(takes)} are needed; nothing sent`,
      });
    }
  }
  for (const line of changes) console.log(`change       ${line}`);
  if (isShort) {
    console.log(
      `first        ${sender.address} lets ${target} take ${opg(takes)}, once, in a transaction of its own`,
    );
  }
  const { signer } = sender;
  if (signer === undefined) {
    const approval = token.interface.encodeFunctionData("approve", [target, takes]);
    const data = contract.interface.encodeFunctionData(name as string, [...values]);
    const calls = [
      ...(isShort ? [{ name: "approve", target: await token.getAddress(), data: approval }] : []),
      { name: String(name), target, data },
    ];
    // What needs the approval cannot be tried before it is there.
    const [first] = calls;
    if (first !== undefined) await tryCall(session, sender, first);
    if (isShort)
      console.log(`note         ${String(name)} could not be tried before it is allowed`);
    const path = userPath(options.safe ?? "");
    const description = changes.join("; ");
    writeFileSync(
      path,
      safeBatch({ chainId: session.chainId, name: String(name), description, calls }),
    );
    console.log(`written to ${path}, for the Safe ${sender.address}; not sent`);
    return false;
  }
  const question = session.question(parameters.question, options);
  if (isShort) {
    const allowed = await sendCall({
      ...{ contract: token, signer, name: "approve", values: [target, takes] as const, question },
    });
    if (allowed === undefined) return false;
    // The answer was given.
    return (await sendCall({ contract, signer, name, values })) !== undefined;
  }
  return (await sendCall({ contract, signer, name, values, question })) !== undefined;
}

async function tryCall(
  session: ChainSession,
  sender: Sender,
  call: { name: string; target: string; data: string },
): Promise<void> {
  const { data, name, target: to } = call;
  await session.provider.call({ from: sender.address, to, data }).catch((error: unknown) => {
    throw explainError({ error, action: `${name} by ${sender.address}` });
  });
}
