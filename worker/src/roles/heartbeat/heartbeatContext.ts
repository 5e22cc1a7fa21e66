import { teeRegistryAbi } from "@haca/protocol/abi";
import { explainRevert } from "@haca/protocol/explainRevert";
import { Interface, isError, type JsonRpcProvider, type TypedDataDomain } from "ethers";
import type { Logger } from "pino";
import { requireAnswer } from "../../chain/chain.ts";
import { rpcFailure } from "../../chain/rpcErrors.ts";
import { RetryableError } from "../../errors.ts";
import type { AccountContext } from "../../transactions/accountContext.ts";
import type { HeartbeatMetrics } from "./createHeartbeatMetrics.ts";

export const teeRegistryInterface = new Interface(teeRegistryAbi);

/** What every step of the role `heartbeat` works with. */
export type HeartbeatContext = {
  provider: JsonRpcProvider;
  chainId: bigint;
  /** address of the TEE registry */
  registry: string;
  /** EIP-712 domain of the registry */
  domain: TypedDataDomain;
  /** its wallet pays, and signs nothing but transactions */
  sender: AccountContext;
  enclaveUrl: string;
  teeId: string;
  sessionPath: string;
  sessionSeconds: number;
  intervalSeconds: number;
  /** how long a call may go without a receipt before another takes its place */
  rebroadcastMs: number;
  pollMs: number;
  metrics: HeartbeatMetrics;
  logger: Logger;
  /** a pass that is running when this is aborted ends where it is safe to */
  signal: AbortSignal;
};

/** The registry refuses a call. Time, or the operator, may heal that. `code` is `revert.<error>`. */
export class RefusedError extends RetryableError {}

/** What went wrong with a call: a refusal of the registry in words, or the endpoint's failure. */
export function registryFailure(error: unknown): RetryableError {
  if (!isError(error, "CALL_EXCEPTION") || error.data === null) return rpcFailure(error);
  const { name, message } = explainRevert(error.data);
  return new RefusedError({ code: `revert.${name}`, message, cause: error });
}

/**
 * Calls a view of the registry and returns its results in order.
 * @throws RefusedError, or RetryableError `rpc.failed`, `rpc.emptyAnswer`
 */
export async function readRegistry(parameters: {
  context: Pick<HeartbeatContext, "provider" | "registry">;
  name: string;
  values: readonly unknown[];
}): Promise<readonly unknown[]> {
  const { context, name, values } = parameters;
  const data = teeRegistryInterface.encodeFunctionData(name, values);
  const result = await context.provider
    .call({ to: context.registry, data })
    .catch((error: unknown) => {
      throw registryFailure(error);
    });
  requireAnswer({ answer: result, name, to: context.registry });
  return teeRegistryInterface.decodeFunctionResult(name, result).toArray();
}
