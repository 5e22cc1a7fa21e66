import { ROLES, type RoleName } from "@haca/protocol/roles";
import { duration } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import { MANAGER, managerCall, readDelay } from "./accessManager.ts";
import type { Action, ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** Those that an account besides the timelock may hold; the guardian's has an action of its own. */
const NAMES: readonly RoleName[] = ["IMAGE_APPROVER", "REGISTRAR"];

async function readHolder(context: ActionContext) {
  const name = context.values.text("role");
  const role = NAMES.find((known) => known === name);
  if (role === undefined) throw refuse(`role must be one of ${NAMES.join(", ")}, got ${name}`);
  const account = context.values.address("account");
  // Not `hasRole`: an account that was given the role, and has to wait until it has it, is no new one.
  const [since] = await deployed(context, MANAGER).getAccess(ROLES[role], account);
  return { role, account, isMember: since !== 0n };
}

export const grantRole: Action = {
  name: "grant-role",
  usage: "IMAGE_APPROVER|REGISTRAR <account> <delay in seconds>",
  summary: "gives an account a role, whose calls wait for the delay",
  by: "proposal",
  functions: ["AccessManager.grantRole(uint64,address,uint32)"],
  build: async (context) => {
    const { role, account, isMember } = await readHolder(context);
    const delay = readDelay(context);
    if (isMember) {
      throw refuse(`${account} holds ${role} already; set-execution-delay changes its delay`);
    }
    const wait = await deployed(context, MANAGER).getRoleGrantDelay(ROLES[role]);
    const when = wait === 0n ? "" : `, ${duration(wait)} after the execution`;
    return {
      calls: [
        managerCall(context, {
          fragment: "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
          arguments: [ROLES[role], account, delay],
          words: `${account} gets the role ${role}${when}, with a delay of ${duration(delay)} for each call`,
        }),
      ],
    };
  },
};

export const revokeRole: Action = {
  name: "revoke-role",
  usage: "IMAGE_APPROVER|REGISTRAR <account>",
  summary: "takes a role from an account",
  by: "proposal",
  functions: ["AccessManager.revokeRole(uint64,address)"],
  build: async (context) => {
    const { role, account, isMember } = await readHolder(context);
    if (!isMember) throw refuse(`${account} does not hold ${role}`);
    return {
      calls: [
        managerCall(context, {
          fragment: "function revokeRole(uint64 roleId, address account)",
          arguments: [ROLES[role], account],
          words: `${account} loses the role ${role}; what it has scheduled cannot be made any more`,
        }),
      ],
    };
  },
};
