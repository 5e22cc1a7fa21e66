import { neededDeposit } from "@haca/protocol/pageSettlement";
import { formatEther } from "ethers";
import { type Chain, callView } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { NotYetError } from "../../../errors.ts";

/**
 * Makes sure that an account's deposit answers for one more page, before its blob is stored and paid for in vain. Returns
 * for how many seconds a result can be proposed.
 * @throws NotYetError that says how much is missing; RetryableError where the endpoint does not answer
 */
export async function requireDeposit(parameters: {
  chain: Chain;
  account: string;
}): Promise<bigint> {
  const { account, chain } = parameters;
  const read = async (name: string, values: readonly unknown[]): Promise<unknown> =>
    (await answerOf(callView({ chain, contract: "pageSettlement", name, values })))[0];
  const held = (await read("accountOf", [account])) as { amount: bigint; openPages: bigint };
  const { minimumDeposit, resultWindow } = (await read("parametersNow", [])) as {
    minimumDeposit: bigint;
    resultWindow: bigint;
  };
  const needed = neededDeposit({ minimumDeposit, openPages: held.openPages + 1n });
  if (held.amount >= needed) return resultWindow;
  throw new NotYetError({
    code: "page.depositTooSmall",
    message: `${account} has a deposit of ${formatEther(held.amount)} OPG in PageSettlement at ${chain.pageSettlement} and answers for ${held.openPages} open pages; one more takes ${formatEther(needed)}: deposit ${formatEther(needed - held.amount)} or more`,
  });
}
