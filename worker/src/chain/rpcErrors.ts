import { escrowInterface } from "@haca/protocol/escrowCalls";
import { operatorInterface } from "@haca/protocol/operatorCalls";
import { isError } from "ethers";
import { describeError, RetryableError } from "../errors.ts";
import {
  type Chain,
  feedsInterface,
  pageInterface,
  registryInterface,
  settlementInterface,
  stakingInterface,
} from "./chain.ts";

/** Whose errors have names here. */
const INTERFACES = [
  settlementInterface,
  registryInterface,
  pageInterface,
  stakingInterface,
  feedsInterface,
  escrowInterface,
  operatorInterface,
];

/** Why a call reverted: the name of the error, and one line with its arguments. */
export type Revert = { name: string; message: string };

/** Decodes the data of a revert: the contracts' own errors, `Error(string)` and `Panic(uint256)`. */
export function decodeRevert(data: string | null | undefined): Revert {
  if (data === null || data === undefined || data === "0x") {
    return { name: "unknown", message: "reverted without a reason" };
  }
  for (const abi of INTERFACES) {
    const error = abi.parseError(data);
    if (error === null) continue;
    const values = error.fragment.inputs.map(({ name }, index) => {
      const value = String(error.args[index]);
      return name === "" ? value : `${name}: ${value}`;
    });
    return { name: error.name, message: `${error.name}(${values.join(", ")})` };
  }
  return { name: "unknown", message: `reverted with ${data.slice(0, 74)}` };
}

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

/**
 * Asks the endpoint again which chain it serves: what another chain says of a request, a nonce or a receipt must
 * decide nothing here. @throws RetryableError
 */
export async function requireSameChain(chain: Pick<Chain, "provider" | "chainId">): Promise<void> {
  const actual = BigInt((await answerOf(chain.provider.send("eth_chainId", []))) as string);
  if (actual === chain.chainId) return;
  throw new RetryableError({
    code: "rpc.otherChain",
    message: `HACA_RPC_URL: the endpoint now serves chain ${actual}, not ${chain.chainId}`,
  });
}
