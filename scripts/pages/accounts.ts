/** Deposits of proposers, and whatever else is in an account of PageSettlement. */
import { BaseError } from "@haca/protocol/baseError";
import { neededDeposit } from "@haca/protocol/pageSettlement";
import { getAddress, isAddress, parseUnits } from "ethers";
import { withChainSession } from "../lib/chainSession.ts";
import { sendCall } from "../lib/sendCall.ts";
import { opg } from "../lib/words.ts";
import { refuse } from "./page.ts";

type Options = { network: string; account: string; yes?: boolean };

const UINT128 = 2n ** 128n - 1n;

/** Says what an account has. */
export function showAccount(options: {
  network: string;
  account: string;
  address?: string;
}): Promise<void> {
  return withChainSession(options.network, async (session) => {
    const pages = await session.contract("PageSettlement");
    const address =
      options.address === undefined
        ? (await session.signer(options.account)).address
        : addressArgument("address", options.address);
    const { amount, openPages } = await pages.accountOf(address);
    const { minimumDeposit } = await pages.parametersNow();
    const needed = neededDeposit({ minimumDeposit, openPages: openPages + 1n });
    console.log(`account      ${address}
amount       ${opg(amount)}
open pages   ${openPages}${openPages === 0n ? "" : ": nothing can be withdrawn before their bonds are released"}
one more     ${amount >= needed ? "could be proposed" : `takes ${opg(needed - amount)} more`}`);
  });
}

/** Allows and leaves OPG. Errors: `pages.refused`, `pages.badAmount`. */
export function deposit(options: Options & { amount: string; for?: string }): Promise<void> {
  const amount = amountArgument(options.amount);
  return withChainSession(options.network, async (session) => {
    const signer = await session.signer(options.account);
    const { address: sender } = signer;
    const account = options.for === undefined ? sender : addressArgument("--for", options.for);
    const pages = await session.contract("PageSettlement");
    const token = await session.contract("OPG");
    const target = await pages.getAddress();
    const balance = await token.balanceOf(sender);
    if (balance < amount) throw refuse(`${sender} has ${opg(balance)}`);
    const before = (await pages.accountOf(account)).amount;
    console.log(
      `change       deposit of ${account}: ${opg(before)} -> ${opg(before + amount)}, from ${sender}`,
    );
    const question = session.question(`Leave ${opg(amount)}?`, options);
    if ((await token.allowance(sender, target)) < amount) {
      const allowed = await sendCall({
        ...{
          contract: token,
          signer,
          name: "approve",
          values: [target, amount] as const,
          question,
        },
      });
      if (allowed === undefined) return;
      // The answer was given.
      await sendCall({ contract: pages, signer, name: "deposit", values: [account, amount] });
      return;
    }
    await sendCall({
      contract: pages,
      signer,
      name: "deposit",
      values: [account, amount],
      question,
    });
  });
}

/** Takes OPG out. Errors: `pages.refused`, `pages.badAmount`. */
export function withdraw(options: Options & { amount: string; to?: string }): Promise<void> {
  return withChainSession(options.network, async (session) => {
    const signer = await session.signer(options.account);
    const receiver =
      options.to === undefined ? signer.address : addressArgument("--to", options.to);
    const pages = await session.contract("PageSettlement");
    const { amount: available, openPages } = await pages.accountOf(signer.address);
    const amount = options.amount === "all" ? available : amountArgument(options.amount);
    if (openPages > 0n) {
      throw refuse(
        `${signer.address} answers for ${openPages} open page(s); npm run pages -- release frees the bonds of those that are over`,
      );
    }
    if (amount === 0n || amount > available) {
      throw refuse(`${signer.address} has ${opg(available)} there`);
    }
    console.log(`change       ${opg(amount)} of ${signer.address} go to ${receiver}`);
    const question = session.question(`Withdraw ${opg(amount)}?`, options);
    await sendCall({
      contract: pages,
      signer,
      name: "withdraw",
      values: [receiver, amount],
      question,
    });
  });
}

/** Burns forfeits. Error: `pages.refused`. */
export function burnForfeits(options: Options): Promise<void> {
  return withChainSession(options.network, async (session) => {
    const signer = await session.signer(options.account);
    const pages = await session.contract("PageSettlement");
    const amount = await pages.forfeits();
    if (amount === 0n) throw refuse("nothing was forfeited that is not burned");
    console.log(`change       ${opg(amount)} that were forfeited are burned`);
    const question = session.question(`Burn ${opg(amount)}?`, options);
    await sendCall({ contract: pages, signer, name: "burnForfeits", values: [], question });
  });
}

function addressArgument(name: string, text: string): string {
  if (/^0x/.test(text) && isAddress(text)) return getAddress(text);
  throw new BaseError({ code: "pages.badAddress", message: `${name} ${text} is no address` });
}

function amountArgument(text: string): bigint {
  const amount = /^[0-9]+(\.[0-9]{1,18})?$/.test(text) ? parseUnits(text, 18) : 0n;
  if (amount > 0n && amount <= UINT128) return amount;
  throw new BaseError({
    code: "pages.badAmount",
    message: `amount ${text} is no amount of OPG above 0, such as 1000 or 0.5`,
  });
}
