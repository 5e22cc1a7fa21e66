import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, ZeroAddress } from "ethers";
import { opg } from "../lib/words.ts";
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
  const token = await session.contract("OPG");
  const current = await token.delegates(sender.address);
  const balance = await token.balanceOf(sender.address);
  if (current === delegatee) throw refuse(`${delegatee} votes for ${sender.address} already`);
  if (delegatee === (await token.NON_VOTING())) {
    throw refuse(`${delegatee} is nobody: votes delegated to it are given up for ever`);
  }
  const before = current === ZeroAddress ? "nobody" : current;
  const words = `the votes of ${opg(balance)} of ${sender.address}: ${before} -> ${delegatee}, in proposals made from now on`;
  console.log(`what will change:\n  ${words}`);
  const transaction = {
    ...{ name: "delegate", target: token.target },
    data: token.interface.encodeFunctionData("delegate", [delegatee]),
  };
  await deliver({
    ...{ session, options, sender, title: "delegate", description: words },
    transactions: [transaction],
  });
}
