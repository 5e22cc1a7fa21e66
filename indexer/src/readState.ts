import { BaseError, ContractFunctionRevertedError, ContractFunctionZeroDataError } from "viem";

/**
 * Reads a contract's state in an event's block, for what the event does not say. Null where the contract refuses:
 * after a reorganisation the node may answer for a block in which the event never happened, and the row of the
 * discarded one is undone in a moment. An error of the node itself is thrown.
 */
export async function readState<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BaseError && error.walk(isRefusal) !== null) {
      return null;
    }
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof ContractFunctionRevertedError || error instanceof ContractFunctionZeroDataError
  );
}
