import { ROLES } from "@haca/protocol/roles";
import { TIMELOCK_ROLES } from "../../deploy/modules/governance.ts";
import { addressOf } from "../call.ts";
import type { Action } from "./action.ts";

const TIMELOCK = "TimelockController";
const MANAGER = "AccessManager";

export const replaceGuardian: Action = {
  name: "replace-guardian",
  usage: "<old> <new>",
  summary: "gives the guardian's rights to another account",
  by: "proposal",
  build: async ({ book, values }) => {
    const [former, next] = [values.address("old"), values.address("new")];
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
