import { isAddress, ZeroAddress } from "ethers";
import type { ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

/** The next argument: a contract on this chain, or `none` for the zero address. Refuses everything else. */
export async function contractOrNone({
  provider,
  values,
}: Pick<ActionContext, "provider" | "values">): Promise<string> {
  const given = values.text("contract");
  const next = given === "none" ? ZeroAddress : given;
  if (!isAddress(next)) throw refuse(`contract ${given} is no address, and not none`);
  if (next !== ZeroAddress && (await provider.getCode(next)) === "0x") {
    throw refuse(`${next} is no contract on this chain`);
  }
  return next;
}

export const nameOrNobody = (account: string): string =>
  account === ZeroAddress ? "nobody" : account;
