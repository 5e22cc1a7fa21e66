import { addressOf } from "../call.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { readView } from "./readView.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

/** One call about one operator, who is denied afterwards or is not. */
async function changeOperator(
  context: ActionContext,
  change: { function: string; isDenied: boolean; consequence: string },
): Promise<Plan> {
  const operator = context.values.address("operator");
  const view = "function isOperatorDenied(address operator) view returns (bool)";
  const isDenied: boolean = await readView(context, TEE_REGISTRY, view, operator);
  const stateOf = (denied: boolean): string => (denied ? "denied" : "not denied");
  if (isDenied === change.isDenied) throw refuse(`operator ${operator} is ${stateOf(isDenied)}`);
  return {
    calls: [
      {
        contract: TEE_REGISTRY,
        target: addressOf(context.book, TEE_REGISTRY),
        fragment: `function ${change.function}(address operator)`,
        arguments: [operator],
        words: `operator ${operator}: ${stateOf(isDenied)} -> ${stateOf(change.isDenied)}; ${change.consequence}`,
      },
    ],
  };
}

export const denyOperator: Action = {
  name: "deny-operator",
  usage: "<address>",
  summary: "excludes an operator's nodes, and further ones, at once",
  by: "guardian",
  build: (context) =>
    changeOperator(context, {
      function: "denyOperator",
      isDenied: true,
      consequence: "its nodes are inactive from then on; only a proposal can lift that",
    }),
};

export const allowOperator: Action = {
  name: "allow-operator",
  usage: "<address>",
  summary: "takes back that an operator is denied",
  by: "proposal",
  build: (context) =>
    changeOperator(context, {
      function: "allowOperator",
      isDenied: false,
      consequence: "its nodes are active again where nothing else is in the way",
    }),
};
