/** What anybody does so that validators are paid. */
import { ZeroAddress } from "ethers";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { opg } from "../lib/words.ts";
import { amountArgument, refuse, type SendOptions, withStaking } from "./context.ts";

/** Adds rewards to the stream. Error: `stake.refused`. */
export function addRewards(options: SendOptions & { amount: string }): Promise<void> {
  const amount = amountArgument(options.amount);
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "addRewards", takes: amount },
      values: [amount],
      changes: [
        `${opg(amount)} of ${sender.address} are given away to validators and those who delegated to them, in seven to eight days; nobody gets them back`,
      ],
      question: `Give ${opg(amount)}?`,
    });
  });
}

/** Passes on what the router holds. Error: `stake.refused`. */
export function forward(options: SendOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session } = context;
    const sender = await senderOf(session, options);
    const router = await session.contract("RewardRouter");
    const token = await session.contract("OPG");
    const recipient = await router.recipient();
    if (recipient === ZeroAddress) {
      throw refuse(
        "governance has named nobody who gets rewards: npm run governance -- propose set-reward-recipient",
      );
    }
    const amount = await token.balanceOf(await router.getAddress());
    if (amount === 0n) throw refuse("the router holds nothing");
    await sendChange(context, {
      ...{ options, sender, contract: router, name: "forward", values: [] },
      changes: [`${opg(amount)} of the router are streamed by ${recipient}`],
      question: "Pass them on?",
    });
  });
}
