import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { ROLES } from "@haca/protocol/roles";
import { ZeroAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { contractAt } from "../../lib/contracts.ts";
import { printable } from "../../lib/words.ts";
import { type Call, deployed } from "../call.ts";
import { managerCall } from "./accessManager.ts";
import type { Action, ActionContext } from "./action.ts";
import { nameOrNobody } from "./contractOrNone.ts";
import { ESCROW, readEscrow } from "./newEscrow.ts";
import { refuse } from "./teeRegistry.ts";

const PART_DIGITS = 100;
const SET_TOKEN = "function setToken(address token, bool isAllowed)";
const CHOICES = ["allow", "refuse"] as const;
const MOST_SYMBOL = 32;

/** A token by its address, and by what it calls itself. */
async function nameToken({ book, provider }: ActionContext, token: string): Promise<string> {
  if (token === book.contracts.OPG?.address) return `OPG ${token}`;
  // Any token has this function of OPG's.
  const contract = contractAt({ name: "OPG", address: token, runner: provider });
  const symbol = await contract.symbol().catch(() => "");
  const text = printable(symbol).slice(0, MOST_SYMBOL);
  return text === "" ? `${token}, which has no symbol` : `${token}, which calls itself "${text}"`;
}

export const setEscrowToken: Action = {
  name: "set-escrow-token",
  usage: "<token> allow|refuse",
  summary: "says whether payments in a token are opened in the escrow",
  by: "proposal",
  functions: [`${ESCROW}.setToken(address,bool)`],
  build: async (context) => {
    const { book, provider, values } = context;
    const escrow = deployed(context, ESCROW);
    const token = values.address("token");
    const choice = values.oneOf(CHOICES) ?? values.text("choice");
    if (choice !== "allow" && choice !== "refuse") {
      throw refuse(`choice must be one of ${CHOICES.join(", ")}, got ${choice}`);
    }
    const isAllowed = choice === "allow";
    if (isAllowed && (await provider.getCode(token)) === "0x") {
      throw refuse(`${token} is no contract on this chain`);
    }
    const name = await nameToken(context, token);
    if ((await escrow.isTokenAllowed(token)) === isAllowed) {
      throw refuse(`payments in ${name} are ${isAllowed ? "taken" : "refused"} already`);
    }
    const change = isAllowed ? "refused -> taken" : "taken -> refused";
    return {
      calls: [
        {
          ...{ contract: ESCROW, target: addressOf(book, ESCROW), fragment: SET_TOKEN },
          arguments: [token, isAllowed],
          words: `new payments in ${name}: ${change}; open ones are captured and refunded as before`,
        },
      ],
    };
  },
};

const feeInWords = (feeBps: bigint, receiver: string): string =>
  feeBps === 0n ? "none" : `${Number(feeBps) / PART_DIGITS} % to ${nameOrNobody(receiver)}`;

export const setEscrowFee: Action = {
  name: "set-escrow-fee",
  usage: "<fee, 1/100 %> <receiver, or none>",
  summary: "sets the fee of payments that are opened from then on",
  by: "proposal",
  functions: [`${ESCROW}.setFee(uint16,address)`],
  build: async (context) => {
    const { book, values } = context;
    const escrow = deployed(context, ESCROW);
    const maximum: bigint = await escrow.MAXIMUM_FEE_BPS();
    const feeBps = values.integer("fee", { minimum: 0n, maximum });
    const receiver =
      values.oneOf(["none"]) === undefined ? values.address("receiver") : ZeroAddress;
    const target = addressOf(book, ESCROW);
    if ((feeBps === 0n) !== (receiver === ZeroAddress)) {
      throw refuse("a fee has a receiver, and no fee has none");
    }
    if (receiver === target) throw refuse("the escrow cannot receive its own fee");
    const [before, receiverBefore] = await escrow.fee();
    const [now, next] = [feeInWords(before, receiverBefore), feeInWords(feeBps, receiver)];
    if (now === next) throw refuse(`the fee is ${now} already`);
    return {
      calls: [
        {
          ...{ contract: ESCROW, target, arguments: [feeBps, receiver] },
          fragment: "function setFee(uint16 feeBps, address receiver)",
          words: `fee of payments: ${now} -> ${next}, for those that are opened from then on; terms that were signed with another fee are refused`,
        },
      ],
    };
  },
};

/**
 * Brings an escrow into a deployment that has none, as the deployment itself does where the chain has x402's proxy. It
 * can do nothing until the proposal lets it take OPG.
 */
export const addEscrow: Action = {
  name: "add-escrow",
  usage: "[<x402's proxy> [<escrow> <its transaction>]]",
  summary: "adds an escrow to a deployment that has none, and lets it take OPG",
  by: "proposal",
  functions: [
    "AccessManager.setTargetFunctionRole(address,bytes4[],uint64)",
    `${ESCROW}.setToken(address,bool)`,
  ],
  build: async (context) => {
    const { book } = context;
    const known = book.contracts[ESCROW];
    if (known !== undefined) throw refuse(`there is an escrow already, ${known.address}`);
    const { escrow, isThere } = await readEscrow(context);
    const rules = ACCESS_TABLE.filter(({ contract }) => contract === ESCROW);
    const opg = addressOf(book, "OPG");
    const calls: Call[] = [
      ...rules.map(({ functions, role }) =>
        managerCall(context, {
          fragment:
            "function setTargetFunctionRole(address target, bytes4[] selectors, uint64 roleId)",
          arguments: [escrow.address, functions.map(selectorOf), ROLES[role]],
          words: `${role} may call ${functions.join(", ")} of the new escrow ${escrow.address}`,
        }),
      ),
      {
        ...{ contract: ESCROW, target: escrow.address, fragment: SET_TOKEN },
        arguments: [opg, true],
        words: `new payments in OPG ${opg}: refused -> taken, by the new escrow ${escrow.address}`,
      },
    ];
    return isThere ? { calls } : { calls, deployments: [escrow] };
  },
};
