import { ROLES, type RoleName } from "@haca/protocol/roles";
import { addressOf } from "../../lib/chainSession.ts";
import { duration } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const MANAGER = "AccessManager";
const MAXIMUM_DELAY = 365n * 86_400n;
/** Those that an account besides the timelock may hold; the guardian's has an action of its own. */
const NAMES: readonly RoleName[] = ["IMAGE_APPROVER", "REGISTRAR"];

async function readHolder(context: ActionContext) {
  const name = context.values.text("role");
  const role = NAMES.find((known) => known === name);
  if (role === undefined) throw refuse(`role must be one of ${NAMES.join(", ")}, got ${name}`);
  const account = context.values.address("account");
  const { isMember } = await deployed(context, MANAGER).hasRole(ROLES[role], account);
  return { role, account, isMember };
}

const plan = (
  context: ActionContext,
  rest: Omit<Plan["calls"][number], "contract" | "target">,
) => ({
  calls: [{ contract: MANAGER, target: addressOf(context.book, MANAGER), ...rest }],
});

export const grantRole: Action = {
  name: "grant-role",
  usage: "IMAGE_APPROVER|REGISTRAR <account> <delay in seconds>",
  summary: "gives an account a role, whose calls wait for the delay",
  by: "proposal",
  build: async (context) => {
    const { role, account, isMember } = await readHolder(context);
    const delay = context.values.integer("delay", { minimum: 0n, maximum: MAXIMUM_DELAY });
    if (isMember) throw refuse(`${account} holds ${role} already`);
    return plan(context, {
      fragment: "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
      arguments: [ROLES[role], account, delay],
      words: `${account} gets the role ${role}, with a delay of ${duration(delay)} for each call`,
    });
  },
};

export const revokeRole: Action = {
  name: "revoke-role",
  usage: "IMAGE_APPROVER|REGISTRAR <account>",
  summary: "takes a role from an account",
  by: "proposal",
  build: async (context) => {
    const { role, account, isMember } = await readHolder(context);
    if (!isMember) throw refuse(`${account} does not hold ${role}`);
    return plan(context, {
      fragment: "function revokeRole(uint64 roleId, address account)",
      arguments: [ROLES[role], account],
      words: `${account} loses the role ${role}; what it has scheduled cannot be made any more`,
    });
  },
};
