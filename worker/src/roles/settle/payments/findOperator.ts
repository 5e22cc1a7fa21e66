import {
  operatorInterface,
  operatorsInterface,
  operatorTermsIn,
} from "@haca/protocol/operatorCalls";
import { getAddress } from "ethers";
import { callMany } from "../../../chain/callMany.ts";
import type { SettleContext } from "../settleContext.ts";

/**
 * The public escrow that an operator of this deployment is over; undefined where none is at the address. Anybody can write a
 * contract that answers as one, and takes all the gas it is sent: an operator's address is made of its terms.
 */
export async function findOperator(parameters: {
  context: SettleContext;
  known: Map<string, string>;
  operator: string;
  block: number;
}): Promise<string | undefined> {
  const { block, context, known, operator } = parameters;
  const { commerceOperators, provider } = context.chain;
  const found = known.get(operator);
  if (found !== undefined || commerceOperators === undefined) return found;
  const read = async (...calls: { to: string; data: string }[]) => {
    const answers = await callMany({ provider, calls, block: `0x${block.toString(16)}` });
    return answers.map((answer) => (typeof answer === "string" ? answer : "0x"));
  };
  const names = ["terms", "COMMERCE"] as const;
  const [answer, escrow = "0x"] = await read(
    ...names.map((name) => ({ to: operator, data: operatorInterface.encodeFunctionData(name) })),
  );
  const terms = operatorTermsIn(answer);
  if (terms === undefined || escrow === "0x") return undefined;
  const data = operatorsInterface.encodeFunctionData("operatorOf", [terms]);
  const [made = "0x"] = await read({ to: commerceOperators, data });
  if (made === "0x") return undefined;
  const [address] = operatorsInterface.decodeFunctionResult("operatorOf", made);
  if (address !== getAddress(operator)) return undefined;
  const [commerce] = operatorInterface.decodeFunctionResult("COMMERCE", escrow);
  known.set(operator, commerce);
  return commerce;
}
