import { keccak256 } from "ethers";
import { encodeSettlement } from "../../chain/encodeSettlement.ts";
import { endpointWords, isAnswered } from "../../chain/endpointWords.ts";
import { requireSameChain } from "../../chain/requireSameChain.ts";
import { revertOf, rpcFailure } from "../../chain/rpcErrors.ts";
import { RefusedByEndpointError } from "../../errors.ts";
import type { Job } from "../../jobs/job.ts";
import { releaseJob } from "../../jobs/leases.ts";
import { recordFailure } from "../../jobs/proofs.ts";
import { recordTransaction } from "../../jobs/transactions.ts";
import type { Fees } from "../../transactions/fees.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { refusalKindOf } from "../../transactions/refusals.ts";
import { acceptExternal } from "./acceptExternal.ts";
import { broadcastSigned } from "./broadcastSigned.ts";
import type { SettleContext } from "./settleContext.ts";

/** Room above the estimate: the state may have changed a little when the transaction is mined. */
const GAS_MARGIN = { numerator: 12n, denominator: 10n };
/** Reverts that time heals: the chain's clock is behind this machine's. */
const TRANSIENT_REVERTS: readonly string[] = ["InferenceSettlement_ResultFromFuture"];
const TRANSIENT_DELAY_SECONDS = 5;

type Call = { from: string; to: string; data: string };
type Prepared = { gasLimit: bigint; chainNonce: number; balance: bigint };

/**
 * Signs, records and sends the settlement of a proven job without a transaction. A settlement that the chain
 * has already, or would refuse, is never sent. Returns whether the job moved on.
 * @throws RefusedByEndpointError where this settlement has to wait; others need not
 */
export async function submitProven(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
  fees: Fees;
}): Promise<boolean> {
  const { context, view, job, fees } = parameters;
  const { chain, database, logger, metrics, wallet } = context;
  const { requestId } = job;
  const call = { from: wallet.address, to: chain.settlement, data: encodeSettlement(job) };
  if (await acceptExternal({ context, view, job })) return true;
  let prepared: Prepared;
  try {
    prepared = await prepare({ context, call });
  } catch (error) {
    return await refuse({ context, job, error });
  }

  const { balance, chainNonce, gasLimit } = prepared;
  // Nodes refuse what the account could not pay at the highest fee: no nonce is used for that.
  if (!context.funds.observe({ balance, gasLimit, maxFeePerGas: fees.maxFeePerGas })) {
    const cost = gasLimit * fees.maxFeePerGas;
    throw new RefusedByEndpointError({
      code: "account.unfunded",
      message: `the account ${wallet.address} holds ${balance} wei, a settlement takes up to ${cost}: fund it`,
    });
  }
  const { to, data } = call;
  const transaction = await recordTransaction({
    database,
    requestId,
    chainNonce,
    async sign(nonce) {
      const { chainId } = chain;
      const request = { type: 2, chainId, nonce, to, data, gasLimit, ...fees };
      const raw = await wallet.signTransaction(request);
      return { hash: keccak256(raw), raw };
    },
  });
  if (transaction === undefined) return false;
  metrics.transactions.inc({ event: "signed" });
  logger.debug({ requestId, transaction: transaction.hash, nonce: transaction.nonce }, "signed");
  return await broadcastSigned({ context, view, job: { ...job, transaction } });
}

/** Estimates against the chain's present state, which is what finds a settlement that would revert. */
async function prepare(parameters: { context: SettleContext; call: Call }): Promise<Prepared> {
  const { provider } = parameters.context.chain;
  const [gas, chainNonce, balance] = await Promise.all([
    provider.estimateGas(parameters.call),
    provider.getTransactionCount(parameters.call.from, "pending"),
    provider.getBalance(parameters.call.from),
  ]);
  const gasLimit = (gas * GAS_MARGIN.numerator) / GAS_MARGIN.denominator;
  return { gasLimit, chainNonce, balance };
}

/** What an endpoint answers about one call says nothing of the next, unless it is about the endpoint itself. */
function failureOf(error: unknown): Error {
  const words = endpointWords(error) ?? "";
  if (!isAnswered(error) || refusalKindOf(words) === "endpoint") return rpcFailure(error);
  return new RefusedByEndpointError({
    code: "settle.notEstimated",
    message: `the endpoint does not estimate the settlement: ${words}`,
    cause: error,
  });
}

/** A revert fails the job, unless time heals it; every other error is the endpoint's and is thrown. */
async function refuse(parameters: {
  context: SettleContext;
  job: Job;
  error: unknown;
}): Promise<boolean> {
  const { chain, database, logger, owner } = parameters.context;
  const { requestId } = parameters.job;
  const revert = revertOf(parameters.error);
  if (revert === undefined) throw failureOf(parameters.error);
  const { name, message } = revert;
  if (TRANSIENT_REVERTS.includes(name)) {
    const delaySeconds = TRANSIENT_DELAY_SECONDS;
    await releaseJob({ database, owner, requestId, error: message, delaySeconds });
    return false;
  }
  await requireSameChain(chain);
  logger.error({ requestId, revert: message }, "the settlement would revert");
  const code = `revert.${name}`;
  return await recordFailure({ database, requestId, from: "proven", code, message });
}
