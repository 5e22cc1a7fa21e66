import { EXCLUDED_STATUSES, type NodeStatus } from "@haca/protocol/attestationParameters";
import { addressOf } from "../../lib/chainSession.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { readNode, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

/** One call about one node, whose state changes. */
async function changeNode(
  context: ActionContext,
  change: {
    function: string;
    isAllowed: (state: NodeStatus) => boolean;
    to: (state: NodeStatus) => NodeStatus;
    consequence: string;
  },
): Promise<Plan> {
  const { book, provider, values } = context;
  const teeId = values.bytes("tee id", 32);
  const { state, operator, endpoint } = await readNode({ book, provider, teeId });
  if (!change.isAllowed(state)) throw refuse(`node ${teeId} is ${state}`);
  return {
    calls: [
      {
        contract: TEE_REGISTRY,
        target: addressOf(book, TEE_REGISTRY),
        fragment: `function ${change.function}(bytes32 teeId)`,
        arguments: [teeId],
        words: `node ${teeId} (${endpoint}, operator ${operator}): ${state} -> ${change.to(state)}; ${change.consequence}`,
      },
    ],
  };
}

export const banNode: Action = {
  name: "ban-node",
  usage: "<tee id>",
  summary: "excludes a node at once, its past results included",
  by: "guardian",
  functions: ["TEERegistry.banTEE(bytes32)"],
  build: (context) =>
    changeNode(context, {
      function: "banTEE",
      isAllowed: (state) => !EXCLUDED_STATUSES.includes(state),
      to: (state) => (state === "retired" ? "expelled" : "banned"),
      consequence: "its past results count no more; only a proposal can lift that",
    }),
};

export const liftBan: Action = {
  name: "lift-ban",
  usage: "<tee id>",
  summary: "takes back the ban of a node",
  by: "proposal",
  functions: ["TEERegistry.liftBan(bytes32)"],
  build: (context) =>
    changeNode(context, {
      function: "liftBan",
      isAllowed: (state) => EXCLUDED_STATUSES.includes(state),
      to: (state) => (state === "expelled" ? "retired" : "disabled"),
      consequence:
        "its past results count again, and a disabled node may be enabled by its operator, unless its bond is gone",
    }),
};
