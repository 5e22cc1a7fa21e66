import { addressOf } from "../call.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { readView } from "./readView.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

async function changeOperator(
  context: ActionContext,
  change: { isDenied: boolean; consequence: string },
): Promise<Plan> {
  const operator = context.values.address("operator");
  const { isDenied, consequence } = change;
  const view = "function isOperatorDenied(address) view returns (bool)";
  const state = (denied: boolean): string => (denied ? "denied" : "allowed");
  if ((await readView(context, TEE_REGISTRY, view, operator)) === isDenied) {
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
  build: (context) =>
    changeOperator(context, {
      isDenied: true,
      consequence:
        "his nodes are inactive and their past results count no more, he registers no others, and his bonds are held for at most 60 days after he retires a node; only a proposal can lift that",
    }),
};

export const allowOperator: Action = {
  name: "allow-operator",
  usage: "<operator>",
  summary: "takes back the denial of an operator",
  by: "proposal",
  build: (context) =>
    changeOperator(context, {
      isDenied: false,
      consequence: "what excluded his nodes and held their bonds ends",
    }),
};
