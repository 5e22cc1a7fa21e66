import { type Revert, revertOf, rpcFailure } from "../chain/rpcErrors.ts";
import { endpointWords, isAnswered } from "../endpointWords.ts";
import { NonRetryableError, RefusedByEndpointError } from "../errors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import type { Settles } from "../jobs/transactionStore.ts";
import type { AccountContext } from "./accountContext.ts";
import { type Offered, offerAttempt } from "./attempts.ts";
import type { Fees } from "./fees.ts";
import type { ChainView } from "./readChainView.ts";
import { refusalKindOf } from "./refusals.ts";
import { type Call, signCall } from "./signCall.ts";

/** What an endpoint does not estimate, without saying that the contract refuses it: too much gas, for instance. */
export const NOT_ESTIMATED = "transaction.notEstimated";

/** A contract would refuse the call: no nonce is used for it. */
export class WouldRevertError extends NonRetryableError {
  readonly revert: Revert;

  constructor(parameters: { purpose: string; revert: Revert; cause: unknown }) {
    const { purpose, revert, cause } = parameters;
    super({ code: "transaction.wouldRevert", message: `${purpose}: ${revert.message}`, cause });
    this.revert = revert;
  }
}

type Request = {
  context: AccountContext;
  view: ChainView;
  /** short word for logs and status, such as `settlement` */
  purpose: string;
  to: string;
  /** calldata, hex */
  data: string;
  /** as the gate chose them for this view; absent: it is asked */
  fees?: Fees;
  /** proven jobs that the transaction settles, and is tied to; absent for any other purpose */
  settles?: Settles;
};
export type Prepared = { call: Call; gasLimit: bigint; chainNonce: number };

/** What was signed, and what became of the offer to the endpoint; `refused` where it is offered again later. */
export type SentTransaction = RecordedTransaction & { offered: Offered | RefusedOffer };
type RefusedOffer = { state: "refused"; error: RefusedByEndpointError };

/**
 * Sends one call from the node's account: simulated first, with a nonce from the one allocator, on disk before it is
 * broadcast. From then on it can be replaced, repeated and followed to its receipt by any process, also after a kill
 * between the two: by `followTransaction` for jobs, by `tendAccount` for every other purpose.
 *
 * Returns undefined, and uses no nonce, while gas is above the ceiling, or where a job has a transaction already.
 * @throws WouldRevertError; RefusedByEndpointError where this call has to wait and others need not, also for jobs whose
 * transaction is recorded and not taken; another RetryableError where the endpoint fails
 */
export async function sendTransaction(request: Request): Promise<SentTransaction | undefined> {
  const { context, view, purpose, settles } = request;
  const fees = request.fees ?? context.gate.choose(view.market);
  if (fees === undefined) return undefined;
  const prepared = await prepareCall({ ...request, fees });
  const transaction = await record({ request, prepared, fees });
  if (transaction === undefined) return undefined;
  const { hash, nonce } = transaction;
  context.metrics.transactions.inc({ event: "signed" });
  context.logger.debug({ purpose, ...settles, transaction: hash, nonce }, "signed");
  if (settles !== undefined) {
    return { ...transaction, offered: await offerAttempt({ context, view, transaction }) };
  }
  const offered = await offerAttempt({ context, view, transaction }).catch(
    (error: unknown): RefusedOffer => {
      // It is an open transaction like any other: the next look after the account offers it again.
      if (error instanceof RefusedByEndpointError) return { state: "refused", error };
      throw error;
    },
  );
  if (offered.state === "sent") await context.store.recordSent(offered.hash);
  return { ...transaction, offered };
}

/**
 * Simulates a call, and counts its gas. Nodes refuse what the account could not pay at the highest fee: no nonce is used
 * for that. @throws as `sendTransaction`
 */
export async function prepareCall(
  parameters: Pick<Request, "context" | "purpose" | "to" | "data"> & { fees: Fees },
): Promise<Prepared> {
  const { context, purpose, to, data, fees } = parameters;
  const { funds, gasLimits, store, wallet } = context;
  const { provider } = context.chain;
  const from = wallet.address;
  const call = { to, data };
  const [gasLimit, chainNonce, balance] = await Promise.all([
    gasLimits.limitOf({ provider, from, call }),
    provider.getTransactionCount(from, store.countedFrom),
    funds && provider.getBalance(from),
  ]).catch((error: unknown) => {
    throw failureOf({ purpose, error });
  });
  const { maxFeePerGas } = fees;
  if (balance !== undefined && funds?.observe({ balance, gasLimit, maxFeePerGas }) === false) {
    throw new RefusedByEndpointError({
      code: "account.unfunded",
      message: `the account ${from} holds ${balance} wei, a ${purpose} takes up to ${gasLimit * maxFeePerGas}: fund it`,
    });
  }
  return { call, gasLimit, chainNonce };
}

/** What an endpoint answers about one call says nothing of the next, unless it is about the endpoint itself. */
export function failureOf(parameters: { purpose: string; error: unknown }): Error {
  const { purpose, error } = parameters;
  const revert = revertOf(error);
  if (revert !== undefined) return new WouldRevertError({ purpose, revert, cause: error });
  const words = endpointWords(error) ?? "";
  if (!isAnswered(error) || refusalKindOf(words) === "endpoint") return rpcFailure(error);
  return new RefusedByEndpointError({
    code: NOT_ESTIMATED,
    message: `the endpoint does not estimate the ${purpose}: ${words}`,
    cause: error,
  });
}

async function record(parameters: {
  request: Request;
  prepared: Prepared;
  fees: Fees;
}): Promise<RecordedTransaction | undefined> {
  const { request, prepared, fees } = parameters;
  const { context, purpose, settles } = request;
  const { chain, store, wallet } = context;
  const { call, chainNonce, gasLimit } = prepared;
  const { chainId } = chain;
  const sign = (nonce: number) => signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  return await store.record({
    ...{ chainNonce, purpose, sign },
    ...(settles === undefined ? {} : { settles }),
  });
}
