import { BaseError } from "@haca/protocol/baseError";
import { formatUnits, getAddress, isAddress, ZeroAddress } from "ethers";
import { deliver } from "./deliver.ts";
import { type SendOptions, type Session, senderOf } from "./session.ts";

/** `delegate <account>`: lets an account vote with the sender's OPG. Error: `governance.badArgument`. */
export async function delegateVotes(
  session: Session,
  text: string,
  options: SendOptions,
): Promise<void> {
  const refuse = (message: string): BaseError =>
    new BaseError({ code: "governance.badArgument", message });
  if (!/^0x/.test(text) || !isAddress(text)) throw refuse(`account ${text} is no address`);
  const delegatee = getAddress(text);
  const sender = await senderOf(session, options);
  const opg = await session.contract("OPG");
  const current: string = await opg.getFunction("delegates")(sender.address);
  const balance: bigint = await opg.getFunction("balanceOf")(sender.address);
  if (current === delegatee) throw refuse(`${delegatee} votes for ${sender.address} already`);
  if (delegatee === (await opg.getFunction("NON_VOTING")())) {
    throw refuse(`${delegatee} is nobody: votes delegated to it are given up for ever`);
  }
  const before = current === ZeroAddress ? "nobody" : current;
  const words = `the votes of ${formatUnits(balance, 18)} OPG of ${sender.address}: ${before} -> ${delegatee}, in proposals made from now on`;
  console.log(`what will change:\n  ${words}`);
  const transaction = {
    ...{ name: "delegate", target: await opg.getAddress() },
    data: opg.interface.encodeFunctionData("delegate", [delegatee]),
  };
  await deliver({
    ...{ session, options, sender, title: "delegate", description: words },
    transactions: [transaction],
  });
}
