import { addressOf } from "../../lib/chainSession.ts";
import { opg } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

export const pay: Action = {
  name: "pay",
  usage: "<receiver> <amount of OPG>",
  summary: "pays OPG that the timelock holds",
  by: "proposal",
  functions: ["OPG.transfer(address,uint256)"],
  build: async (context) => {
    const receiver = context.values.address("receiver");
    const amount = context.values.tokens("amount of OPG");
    const timelock = addressOf(context.book, "TimelockController");
    const balance = await deployed(context, "OPG").balanceOf(timelock);
    if (amount === 0n) throw refuse("a payment of nothing changes nothing");
    if (amount > balance) {
      throw refuse(
        `the timelock holds ${opg(balance)}; what the ecosystem vault owes it comes with: npm run vesting -- release <vault>`,
      );
    }
    return {
      calls: [
        {
          contract: "OPG",
          target: addressOf(context.book, "OPG"),
          fragment: "function transfer(address to, uint256 value) returns (bool)",
          arguments: [receiver, amount],
          words: `${opg(amount)} of the timelock's ${opg(balance)} go to ${receiver}`,
        },
      ],
    };
  },
};
