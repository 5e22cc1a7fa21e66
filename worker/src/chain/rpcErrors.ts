import { isError } from "ethers";
import { describeError, RetryableError } from "../errors.ts";
import { decodeRevert, type Revert } from "./decodeRevert.ts";

/** The revert that an `eth_call` or `eth_estimateGas` met; undefined for every other error. */
export function revertOf(error: unknown): Revert | undefined {
  return isError(error, "CALL_EXCEPTION") && error.data !== null
    ? decodeRevert(error.data)
    : undefined;
}

/** The answer of an endpoint; whatever goes wrong is worth another attempt later. */
export async function answerOf<Answer>(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    throw rpcFailure(error);
  }
}

/**
 * Everything else that an endpoint answers, or does not: worth another attempt later, whatever it is. A job
 * never fails because of what an endpoint says, only because of what a contract says.
 */
export function rpcFailure(error: unknown): RetryableError {
  if (error instanceof RetryableError) return error;
  return new RetryableError({
    code: "rpc.failed",
    message: `HACA_RPC_URL: ${describeError(error)}`,
    cause: error,
  });
}
