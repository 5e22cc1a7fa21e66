import { isError, Transaction, type TransactionReceipt } from "ethers";
import type { Chain } from "./chain.ts";
import type { Revert } from "./decodeRevert.ts";
import { revertOf } from "./rpcErrors.ts";

/**
 * Why a mined transaction reverted. Receipts do not say; the same call against the state of its block does,
 * unless a later transaction of that block changed what it met.
 */
export async function explainRevert(parameters: {
  chain: Chain;
  raw: string;
  receipt: TransactionReceipt;
}): Promise<Revert> {
  const { chain, raw, receipt } = parameters;
  const { from, to, data, gasLimit } = Transaction.from(raw);
  try {
    await chain.provider.call({ from, to, data, gasLimit, blockTag: receipt.blockNumber });
  } catch (error) {
    const revert = revertOf(error);
    if (revert !== undefined) return revert;
    if (!isError(error, "CALL_EXCEPTION")) throw error;
  }
  return receipt.gasUsed >= gasLimit
    ? { name: "outOfGas", message: `out of gas at ${gasLimit}` }
    : { name: "unknown", message: "reverted for a reason that its block's state no longer shows" };
}
