import { formatUnits } from "ethers";
import { addressOf } from "../call.ts";
import type { Action } from "./action.ts";
import { readView } from "./readView.ts";
import { refuse } from "./teeRegistry.ts";

export const pay: Action = {
  name: "pay",
  usage: "<receiver> <amount of OPG>",
  summary: "pays OPG that the timelock holds",
  by: "proposal",
  build: async (context) => {
    const receiver = context.values.address("receiver");
    const amount = context.values.tokens("amount of OPG");
    const view = "function balanceOf(address account) view returns (uint256)";
    const timelock = addressOf(context.book, "TimelockController");
    const balance: bigint = await readView(context, "OPG", view, timelock);
    if (amount === 0n) throw refuse("a payment of nothing changes nothing");
    if (amount > balance) {
      throw refuse(
        `the timelock holds ${formatUnits(balance, 18)} OPG; what the ecosystem vault owes it comes with: npm run vesting -- release <vault>`,
      );
    }
    return {
      calls: [
        {
          contract: "OPG",
          target: addressOf(context.book, "OPG"),
          fragment: "function transfer(address to, uint256 value) returns (bool)",
          arguments: [receiver, amount],
          words: `${formatUnits(amount, 18)} of the timelock's ${formatUnits(balance, 18)} OPG go to ${receiver}`,
        },
      ],
    };
  },
};
