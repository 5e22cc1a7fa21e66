import { ROLES } from "@haca/protocol/roles";
import { deployed } from "../call.ts";
import { MANAGER, managerCall, nameOfRole, readContract, readRole } from "./accessManager.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** What ADMIN, which the timelock holds, changes in the AccessManager besides who has a role. */

/** Closes a contract's restricted functions for everybody, or opens them again. */
const switchContract = (parameters: {
  name: string;
  summary: string;
  isClosed: boolean;
  consequence: string;
}): Action => ({
  name: parameters.name,
  usage: "<contract>",
  summary: parameters.summary,
  by: "proposal",
  functions: ["AccessManager.setTargetClosed(address,bool)"],
  build: async (context) => {
    const { isClosed, consequence } = parameters;
    const { name, target } = readContract(context);
    // The manager would refuse that of itself.
    if (name === MANAGER) throw refuse("the AccessManager itself cannot be closed");
    const state = (closed: boolean): string => (closed ? "closed" : "open");
    if ((await deployed(context, MANAGER).isTargetClosed(target)) === isClosed) {
      throw refuse(`${name} is ${state(isClosed)} already`);
    }
    return {
      calls: [
        managerCall(context, {
          fragment: "function setTargetClosed(address target, bool closed)",
          arguments: [target, isClosed],
          words: `restricted functions of ${name} ${target}: ${state(!isClosed)} -> ${state(isClosed)}; ${consequence}`,
        }),
      ],
    };
  },
});

export const closeContract: Action = switchContract({
  ...{ name: "close-contract", isClosed: true },
  summary: "lets nobody call a contract's restricted functions",
  consequence: "no role can call them, the guardian's included, until a proposal opens them again",
});

export const openContract: Action = switchContract({
  ...{ name: "open-contract", isClosed: false },
  summary: "takes back close-contract",
  consequence: "whoever has the role that one needs can call it again",
});

/** Says which role grants and revokes a role, or cancels what its members have scheduled. */
const setKeeper = (parameters: {
  name: string;
  summary: string;
  view: "getRoleAdmin" | "getRoleGuardian";
  function: `setRole${string}(uint64,uint64)`;
  fragment: string;
  does: string;
}): Action => ({
  name: parameters.name,
  usage: `<role> <role that ${parameters.does}>`,
  summary: parameters.summary,
  by: "proposal",
  functions: [`AccessManager.${parameters.function}`],
  build: async (context) => {
    const { view, fragment, does } = parameters;
    const role = readRole(context, "role");
    const keeper = readRole(context, `role that ${does}`);
    if (role === "ADMIN") throw refuse("ADMIN keeps itself: the manager lets nothing of it change");
    const current = await deployed(context, MANAGER)[view](ROLES[role]);
    if (current === ROLES[keeper]) throw refuse(`that is ${keeper} already for ${role}`);
    return {
      calls: [
        managerCall(context, {
          fragment,
          arguments: [ROLES[role], ROLES[keeper]],
          words: `the role that ${does} of ${role}: ${nameOfRole(current)} -> ${keeper}`,
        }),
      ],
    };
  },
});

export const setRoleAdmin: Action = setKeeper({
  ...{ name: "set-role-admin", view: "getRoleAdmin", does: "grants and revokes membership" },
  summary: "says which role grants and revokes another",
  function: "setRoleAdmin(uint64,uint64)",
  fragment: "function setRoleAdmin(uint64 roleId, uint64 admin)",
});

export const setRoleGuardian: Action = setKeeper({
  ...{ name: "set-role-guardian", view: "getRoleGuardian", does: "cancels scheduled calls" },
  summary: "says which role cancels what another's members scheduled",
  function: "setRoleGuardian(uint64,uint64)",
  fragment: "function setRoleGuardian(uint64 roleId, uint64 guardian)",
});
