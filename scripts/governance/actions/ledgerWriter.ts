import { addressOf } from "../../lib/chainSession.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const SETTLEMENT = "InferenceSettlement";
const FRAGMENT = "function setLedgerWriter(address writer, bool allowed)";

/** One of the two actions that say which contracts may hold requests in the ledger. */
const writerAction = (allowed: boolean): Action => ({
  name: allowed ? "add-ledger-writer" : "remove-ledger-writer",
  usage: "<contract>",
  summary: allowed
    ? "lets a contract hold requests in the ledger"
    : "keeps a contract from holding further requests",
  by: "proposal",
  functions: ["InferenceSettlement.setLedgerWriter(address,bool)"],
  build: async (context) => {
    const writer = context.values.address("contract");
    // One that got rid of its code is removed like any other.
    if (allowed && (await context.provider.getCode(writer)) === "0x") {
      throw refuse(`${writer} is no contract on this chain`);
    }
    if ((await deployed(context, SETTLEMENT).isLedgerWriter(writer)) === allowed) {
      throw refuse(
        `${writer} ${allowed ? "may hold requests already" : "is no writer of the ledger"}`,
      );
    }
    return {
      calls: [
        {
          contract: SETTLEMENT,
          target: addressOf(context.book, SETTLEMENT),
          fragment: FRAGMENT,
          arguments: [writer, allowed],
          words: allowed
            ? `${writer} may hold requests of every node, so that nothing else settles them, and let them go again`
            : `${writer} can hold no further requests; it can still let go what it holds`,
        },
      ],
    };
  },
});

export const addLedgerWriter = writerAction(true);
export const removeLedgerWriter = writerAction(false);
