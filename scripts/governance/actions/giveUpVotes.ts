import { addressOf } from "../../lib/chainSession.ts";
import { opg } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** The treasury does not vote. The deployment's timelock gave its votes up when it was made, its replacement did not. */
export const giveUpVotes: Action = {
  name: "give-up-votes",
  usage: "",
  summary: "has the timelock give up its votes for good",
  by: "proposal",
  functions: ["OPG.delegate(address)"],
  build: async (context) => {
    const timelock = addressOf(context.book, "TimelockController");
    const token = deployed(context, "OPG");
    const nobody = await token.NON_VOTING();
    if ((await token.delegates(timelock)) === nobody) {
      throw refuse(`the timelock ${timelock} has given up its votes already`);
    }
    return {
      calls: [
        {
          ...{ contract: "OPG", target: addressOf(context.book, "OPG") },
          fragment: "function delegate(address delegatee)",
          arguments: [nobody],
          words: `the timelock ${timelock} never votes with what it holds, ${opg(await token.balanceOf(timelock))} now, nor with what it gets`,
        },
      ],
    };
  },
};
