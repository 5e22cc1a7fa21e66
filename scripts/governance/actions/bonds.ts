import { EXCLUDED_STATUSES } from "@haca/protocol/attestationParameters";
import { ZeroAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { opg } from "../../lib/words.ts";
import { type Call, deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { readNode, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const NODE_BONDS = "NodeBonds";
const MAXIMUM_AMOUNT = (1n << 96n) - 1n;

/** Sets the amount and, the first time, tells the registry who holds the bonds. */
export const setBond: Action = {
  name: "set-bond",
  usage: "<amount of OPG>",
  summary: "sets the bond that operators leave for their nodes",
  by: "proposal",
  functions: ["NodeBonds.setAmount(uint96)", "TEERegistry.setBonds(address)"],
  build: async (context) => {
    const amount = context.values.tokens("amount of OPG");
    if (amount > MAXIMUM_AMOUNT) throw refuse(`a bond of ${opg(amount)} is more than there can be`);
    const bonds = addressOf(context.book, NODE_BONDS);
    const current = await deployed(context, NODE_BONDS).amount();
    const holder = await deployed(context, TEE_REGISTRY).bonds();
    const isInUse = holder === bonds;
    if (isInUse && current === amount) throw refuse(`the bond is ${opg(amount)} already`);
    const calls: Call[] = [
      {
        contract: NODE_BONDS,
        target: bonds,
        fragment: "function setAmount(uint96 amount)",
        arguments: [amount],
        words:
          `the bond of a node changes from ${isInUse ? opg(current) : "none"} to ${opg(amount)}; ` +
          "nodes that are admitted already are not asked again",
      },
    ];
    if (!isInUse) {
      calls.push({
        contract: TEE_REGISTRY,
        target: addressOf(context.book, TEE_REGISTRY),
        fragment: "function setBonds(address bonds)",
        arguments: [bonds],
        words: `holder of new bonds: ${holder === ZeroAddress ? "nobody" : holder} -> NodeBonds ${bonds}`,
      });
    }
    return { calls };
  },
};

/** Takes the bond of a banned node, or of a denied operator's, away. */
export const forfeitBond: Action = {
  name: "forfeit-bond",
  usage: "<tee id> <receiver>",
  summary: "takes the bond of a banned node, or of a denied operator's, away",
  by: "proposal",
  functions: ["NodeBonds.forfeit(bytes32,address)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const teeId = values.bytes("tee id", 32);
    const receiver = values.address("receiver");
    const { state, operator, endpoint } = await readNode({ book, provider, teeId });
    const isDenied = await deployed(context, TEE_REGISTRY).isOperatorDenied(operator);
    if (!EXCLUDED_STATUSES.includes(state) && !isDenied) {
      throw refuse(`node ${teeId} is ${state}, and neither banned nor its operator denied`);
    }
    const { owner, amount } = await deployed(context, NODE_BONDS).bondOf(teeId);
    if (amount === 0n) throw refuse(`node ${teeId} has left no bond`);
    return {
      calls: [
        {
          contract: NODE_BONDS,
          target: addressOf(book, NODE_BONDS),
          fragment: "function forfeit(bytes32 teeId, address receiver)",
          arguments: [teeId, receiver],
          words: `the bond of ${opg(amount)} that ${owner} left for node ${teeId} (${endpoint}) goes to ${receiver}`,
        },
      ],
    };
  },
};
