import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { isError, type TransactionReceipt } from "ethers";
import { readMarket } from "../../chain/readMarket.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import { RetryableError } from "../../errors.ts";
import { chooseFees, type Fees, raiseFees } from "../../transactions/fees.ts";
import { type Call, estimateGasLimit, signCall } from "../../transactions/signCall.ts";
import {
  type HeartbeatContext,
  RefusedError,
  registryFailure,
  teeRegistryInterface,
} from "./heartbeatContext.ts";

/** The last transaction that an endpoint took, so that what takes its nonce pays more. */
export type LastSent = { nonce: number; fees: Fees } | undefined;

/**
 * Simulates a call of the registry, sends it, and returns its receipt. Nothing is kept on disk: a heartbeat that got
 * lost is made up for by the next. The account is this role's own and has one transaction in flight at most, so the
 * next takes the place of one that is not mined.
 * @throws RefusedError where the registry refuses, RetryableError for everything else
 */
export async function sendCall(parameters: {
  context: HeartbeatContext;
  name: string;
  values: readonly unknown[];
  lastSent: { value: LastSent };
}): Promise<TransactionReceipt> {
  const { context, name, values, lastSent } = parameters;
  const { provider, wallet, chainId, registry: to, rebroadcastMs, pollMs, signal } = context;
  const data = teeRegistryInterface.encodeFunctionData(name, values);
  const call = { to, data };
  const gasLimit = await estimate({ context, call });
  const nonce = await answerOf(provider.getTransactionCount(wallet.address, "latest"));
  const fees = await feesFor({ context, nonce, last: lastSent.value });
  const { raw } = await signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  const hash = await broadcast({ context, raw, onTaken: () => (lastSent.value = { nonce, fees }) });

  const deadline = performance.now() + rebroadcastMs;
  for (;;) {
    const receipt = await answerOf(provider.getTransactionReceipt(hash));
    if (receipt !== null) return checked({ context, name, receipt });
    if (signal.aborted || performance.now() >= deadline) {
      throw new RetryableError({
        code: "transaction.notMined",
        message: `${name}: transaction ${hash} is not mined yet`,
      });
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function estimate(parameters: { context: HeartbeatContext; call: Call }): Promise<bigint> {
  const { call, context } = parameters;
  const { provider, wallet } = context;
  try {
    return await estimateGasLimit({ provider, from: wallet.address, call });
  } catch (error) {
    throw registryFailure(error);
  }
}

async function feesFor(parameters: {
  context: HeartbeatContext;
  nonce: number;
  last: LastSent;
}): Promise<Fees> {
  const { context, nonce, last } = parameters;
  const { provider, maxFeePerGas: ceiling } = context;
  const block = await answerOf(provider.getBlock("latest"));
  const market = await readMarket({ provider, baseFee: block?.baseFeePerGas ?? 0n });
  const fees =
    last?.nonce === nonce
      ? raiseFees({ previous: last.fees, market, ceiling })
      : chooseFees({ market, ceiling });
  if (fees !== undefined) return fees;
  throw new RetryableError({
    code: "fees.tooHigh",
    message: `HACA_MAX_FEE_PER_GAS: ${ceiling} wei per gas is too little at the moment`,
  });
}

/** Calls `onTaken` where a transaction of this nonce waits at the endpoint afterwards: this one, or an earlier one. */
async function broadcast(parameters: {
  context: HeartbeatContext;
  raw: string;
  onTaken: () => void;
}): Promise<string> {
  const { context, raw, onTaken } = parameters;
  try {
    const hash = String(await context.provider.send("eth_sendRawTransaction", [raw]));
    onTaken();
    return hash;
  } catch (error) {
    if (isError(error, "REPLACEMENT_UNDERPRICED")) onTaken();
    throw registryFailure(error);
  }
}

function checked(parameters: {
  context: HeartbeatContext;
  name: string;
  receipt: TransactionReceipt;
}): TransactionReceipt {
  const { context, name, receipt } = parameters;
  context.metrics.gas.observe({ call: name }, Number(receipt.gasUsed));
  if (receipt.status === 1) return receipt;
  throw new RefusedError({
    code: "revert.mined",
    message: `${name}: transaction ${receipt.hash} reverted in block ${receipt.blockNumber}`,
  });
}
