import { addressOf } from "../../lib/chainSession.ts";
import { deployed } from "../call.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

async function changeOperator(
  context: ActionContext,
  change: { isDenied: boolean; consequence: string },
): Promise<Plan> {
  const operator = context.values.address("operator");
  const { isDenied, consequence } = change;
  const state = (denied: boolean): string => (denied ? "denied" : "allowed");
  if ((await deployed(context, TEE_REGISTRY).isOperatorDenied(operator)) === isDenied) {
    throw refuse(`operator ${operator} is ${state(isDenied)} already`);
  }
  return {
    calls: [
      {
        contract: TEE_REGISTRY,
        target: addressOf(context.book, TEE_REGISTRY),
        fragment: `function ${isDenied ? "denyOperator" : "allowOperator"}(address operator)`,
        arguments: [operator],
        words: `operator ${operator}: ${state(!isDenied)} -> ${state(isDenied)}; ${consequence}`,
      },
    ],
  };
}

export const denyOperator: Action = {
  name: "deny-operator",
  usage: "<operator>",
  summary: "excludes all nodes of an operator at once, past results included",
  by: "guardian",
  functions: ["TEERegistry.denyOperator(address)"],
  build: (context) =>
    changeOperator(context, {
      isDenied: true,
      consequence:
        "their nodes are inactive and past results of these count no more, they register no others, and their bonds are held for at most 60 days after they retire a node; only a proposal can lift that",
    }),
};

export const allowOperator: Action = {
  name: "allow-operator",
  usage: "<operator>",
  summary: "takes back the denial of an operator",
  by: "proposal",
  functions: ["TEERegistry.allowOperator(address)"],
  build: (context) =>
    changeOperator(context, {
      isDenied: false,
      consequence: "what excluded their nodes and held the bonds ends",
    }),
};
