import type { JsonRpcProvider } from "ethers";
import { endpointWords } from "../endpointWords.ts";
import { describeError, StartError } from "../errors.ts";

/**
 * Makes sure at the start that the endpoint can do what sending needs: blocks with a base fee, because transactions are
 * those of EIP-1559, and the account's nonce as deep as `confirmations` looks back.
 * @throws StartError that names what is missing, the provider's error where it cannot tell
 */
export async function probeEndpoint(parameters: {
  provider: JsonRpcProvider;
  chainId: number;
  account: string;
  confirmations: number;
}): Promise<void> {
  const { provider, chainId, account, confirmations } = parameters;
  const head = await provider.getBlock("latest");
  if (head === null) {
    throw new StartError({
      code: "rpc.noBlock",
      message: "HACA_RPC_URL: the endpoint has no latest block",
    });
  }
  if (head.baseFeePerGas === null) {
    throw new StartError({
      code: "chain.noBaseFee",
      message: `HACA_RPC_URL: the blocks of chain ${chainId} have no base fee; transactions are sent by EIP-1559 only`,
    });
  }
  const block = Math.max(0, head.number - confirmations + 1);
  try {
    await provider.getTransactionCount(account, block);
  } catch (error) {
    if (endpointWords(error) === undefined) throw error;
    // Refused for the moment, say by a rate limit, this fails too and is tried again.
    await provider.getTransactionCount(account, "latest");
    throw new StartError({
      code: "rpc.noState",
      message: `HACA_RPC_URL: the endpoint lacks the state of block ${block}, ${head.number - block} behind its head, which HACA_CONFIRMATIONS=${confirmations} needs (${describeError(error)})`,
      cause: error,
    });
  }
}
