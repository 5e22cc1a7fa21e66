import { CONTRACT_ROWS, type ListedName } from "@haca/protocol/contracts";
import { ROLES, type RoleName } from "@haca/protocol/roles";
import { addressOf } from "../../lib/chainSession.ts";
import type { Call } from "../call.ts";
import type { ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** What the actions about the AccessManager have in common. */

export const MANAGER = "AccessManager";
/** A longer delay is a mistake: nobody could take it back before it has passed. */
export const MAXIMUM_DELAY: bigint = 365n * 86_400n;

const NAMES = Object.keys(ROLES) as RoleName[];

/** The next value as a role of the project. Error: `governance.badArgument`. */
export function readRole(context: ActionContext, name: string): RoleName {
  const text = context.values.text(name);
  const role = NAMES.find((known) => known === text);
  if (role === undefined) throw refuse(`${name} must be one of ${NAMES.join(", ")}, got ${text}`);
  return role;
}

export const nameOfRole = (role: bigint): string =>
  NAMES.find((name) => ROLES[name] === role) ?? `role ${role}`;

/** The next value as a contract of the deployment. Errors: `governance.badArgument`, `chain.notDeployed`. */
export function readContract(context: ActionContext): { name: ListedName; target: string } {
  const text = context.values.text("contract");
  const row = CONTRACT_ROWS.find(({ name, isUnlisted }) => name === text && !isUnlisted);
  if (row === undefined) throw refuse(`contract ${text} is none of the deployment's`);
  const name = row.name as ListedName;
  return { name, target: addressOf(context.book, name) };
}

export const readDelay = (context: ActionContext): bigint =>
  context.values.integer("delay", { minimum: 0n, maximum: MAXIMUM_DELAY });

/** A call to the AccessManager. */
export const managerCall = (
  context: Pick<ActionContext, "book">,
  rest: Pick<Call, "fragment" | "arguments" | "words">,
): Call => ({ contract: MANAGER, target: addressOf(context.book, MANAGER), ...rest });
