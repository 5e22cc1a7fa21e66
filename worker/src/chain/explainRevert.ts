import { isError, Transaction, type TransactionReceipt, type TransactionRequest } from "ethers";
import { endpointWords } from "../endpointWords.ts";
import { redact } from "../redact.ts";
import type { Chain } from "./chain.ts";
import { type Revert, revertOf } from "./rpcErrors.ts";

/**
 * Why a mined transaction reverted. Receipts do not say; the same call against the state of its block does,
 * unless a later transaction of that block changed what it met. An endpoint that has dropped that state, or does not give
 * it away, will never say: its words are the reason then, because the job must not wait for better ones.
 */
export async function explainRevert(parameters: {
  chain: Chain;
  raw: string;
  receipt: TransactionReceipt;
}): Promise<Revert> {
  const { chain, raw, receipt } = parameters;
  const { from, to, data, gasLimit } = Transaction.from(raw);
  const call: TransactionRequest = { from, to, data, gasLimit };
  const found = await chain.provider.call({ ...call, blockTag: receipt.blockNumber }).then(
    () => undefined,
    async (error: unknown) => {
      const said = endpointWords(error);
      // ethers has this code for every error that an endpoint answers to a call, a revert or not.
      const isAboutCall = isError(error, "CALL_EXCEPTION");
      const isFinal = isAboutCall || (said !== undefined && (await answersAtHead({ chain, call })));
      if (!isFinal) throw error;
      return revertOf(error) ?? said;
    },
  );
  if (typeof found === "object") return found;
  if (receipt.gasUsed >= gasLimit) {
    return { name: "outOfGas", message: `out of gas at ${gasLimit}` };
  }
  const message =
    found === undefined
      ? "reverted for a reason that its block's state no longer shows"
      : `reverted; asked why in block ${receipt.blockNumber}, the endpoint says: ${redact(found)}`;
  return { name: "unknown", message };
}

/** Whether the endpoint makes this call at all: then what it refuses is the block, not the call or the moment. */
async function answersAtHead(parameters: {
  chain: Chain;
  call: TransactionRequest;
}): Promise<boolean> {
  const { chain, call } = parameters;
  return await chain.provider.call({ ...call, blockTag: "latest" }).then(
    () => true,
    (error: unknown) => isError(error, "CALL_EXCEPTION"),
  );
}
