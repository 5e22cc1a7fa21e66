import { addressOf, nextBlockTime } from "../../lib/chainSession.ts";
import { duration, isoTime } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import { MANAGER, managerCall } from "./accessManager.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** What a proposal could only schedule, because the timelock's role has a delay in the AccessManager. */
export const executeScheduled: Action = {
  name: "execute-scheduled",
  usage: "<operation>",
  summary: "makes a call that an earlier proposal has scheduled",
  by: "proposal",
  functions: ["AccessManager.execute(address,bytes)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const id = values.bytes("operation", 32);
    const timelock = addressOf(book, "TimelockController");
    // Loaded when it is used: the list of actions is there without a build.
    const { readOperations } = await import("../scheduled.ts");
    const operation = (await readOperations(context)).find((each) => each.id === id);
    if (operation === undefined) throw refuse(`operation ${id} was never scheduled`);
    const { caller, target, data, due, words } = operation;
    if (due === 0n) throw refuse(`operation ${id} is executed, cancelled or expired`);
    if (caller !== timelock) {
      throw refuse(
        `operation ${id} is ${caller}'s, not a proposal's: npm run governance -- execute-scheduled ${id}`,
      );
    }
    const governor = deployed(context, "HacaGovernor");
    const life =
      (await governor.votingDelay()) +
      (await governor.votingPeriod()) +
      (await deployed(context, "TimelockController").getMinDelay());
    const earliest = (await nextBlockTime(provider)) + life;
    const expiry = due + (await deployed(context, MANAGER).expiration());
    if (earliest >= expiry) {
      throw refuse(
        `operation ${id} expires at ${isoTime(expiry)}, and a proposal of now cannot be executed before ${isoTime(earliest)} (${duration(life)}): propose the change again`,
      );
    }
    return {
      calls: [
        managerCall(context, {
          fragment: "function execute(address target, bytes data) payable returns (uint32)",
          arguments: [target, data],
          words: `${words}: scheduled -> made; it can be executed from ${isoTime(due)} on and before ${isoTime(expiry)}`,
        }),
      ],
    };
  },
};
