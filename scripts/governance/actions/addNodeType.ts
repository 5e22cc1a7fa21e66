import { addressOf } from "../../lib/chainSession.ts";
import type { Action } from "./action.ts";
import { nodeTypes, readTypeNumber, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

export const addNodeType: Action = {
  name: "add-node-type",
  usage: "<number> <name>",
  summary: "adds a type of TEE node",
  by: "proposal",
  functions: ["TEERegistry.addTEEType(uint8,string)"],
  build: async (context) => {
    const type = readTypeNumber(context);
    const name = context.values.text("name");
    const types = await nodeTypes(context);
    const existing = types.get(type);
    if (existing !== undefined) throw refuse(`node type ${type} exists, it is ${existing}`);
    const known = [...types].map(([number, label]) => `${number} ${label}`).join(", ");
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(context.book, TEE_REGISTRY),
          fragment: "function addTEEType(uint8 teeType, string name)",
          arguments: [type, name],
          words: `node types: ${known} -> ${known}, ${type} ${name}; a type stays for ever`,
        },
      ],
    };
  },
};
