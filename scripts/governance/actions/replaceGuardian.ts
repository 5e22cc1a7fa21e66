import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import { addressOf } from "../../lib/chainSession.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const TIMELOCK = "TimelockController";
const MANAGER = "AccessManager";

export const replaceGuardian: Action = {
  name: "replace-guardian",
  usage: "<old> <new>",
  summary: "gives the guardian's rights to another account",
  by: "proposal",
  functions: [
    "TimelockController.grantRole(bytes32,address)",
    "TimelockController.revokeRole(bytes32,address)",
    "AccessManager.grantRole(uint64,address,uint32)",
    "AccessManager.revokeRole(uint64,address)",
  ],
  build: async (context) => {
    const { book, values } = context;
    const [former, next] = [values.address("old"), values.address("new")];
    // Granted and then revoked, one account would end with nothing, and the chain with no guardian.
    if (former === next) throw refuse(`the old and the new guardian are one account, ${former}`);
    for (const [account, isGuardian] of [
      [former, true],
      [next, false],
    ] as const) {
      const timelock = deployed(context, TIMELOCK);
      const holds = await timelock.hasRole(TIMELOCK_ROLES.CANCELLER_ROLE, account);
      if (holds === isGuardian) continue;
      throw refuse(`${account} is ${isGuardian ? "not the guardian" : "the guardian already"}`);
    }
    const inTimelock = { contract: TIMELOCK, target: addressOf(book, TIMELOCK) };
    const inManager = { contract: MANAGER, target: addressOf(book, MANAGER) };
    return {
      calls: [
        {
          ...inTimelock,
          fragment: "function grantRole(bytes32 role, address account)",
          arguments: [TIMELOCK_ROLES.CANCELLER_ROLE, next],
          words: `${next} may cancel proposals in the timelock`,
        },
        {
          ...inTimelock,
          fragment: "function revokeRole(bytes32 role, address account)",
          arguments: [TIMELOCK_ROLES.CANCELLER_ROLE, former],
          words: `${former} may not any more`,
        },
        {
          ...inManager,
          fragment: "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
          arguments: [ROLES.GUARDIAN, next, 0n],
          words: `${next} gets the role GUARDIAN`,
        },
        {
          ...inManager,
          fragment: "function revokeRole(uint64 roleId, address account)",
          arguments: [ROLES.GUARDIAN, former],
          words: `${former} loses the role GUARDIAN`,
        },
      ],
    };
  },
};
