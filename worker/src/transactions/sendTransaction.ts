import { type Revert, revertOf, rpcFailure } from "../chain/rpcErrors.ts";
import { endpointWords, isAnswered } from "../endpointWords.ts";
import { NonRetryableError, RefusedByEndpointError } from "../errors.ts";
import type { RecordedTransaction } from "../jobs/job.ts";
import { recordSent, recordSigned, recordTransaction } from "../jobs/transactions.ts";
import type { AccountContext } from "./accountContext.ts";
import { type Offered, offerAttempt } from "./attempts.ts";
import type { Fees } from "./fees.ts";
import type { ChainView } from "./readChainView.ts";
import { refusalKindOf } from "./refusals.ts";
import { type Call, estimateGasLimit, signCall } from "./signCall.ts";

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
  /** proven job that the transaction settles, and is tied to; absent for any other purpose */
  requestId?: string;
};
type Prepared = { call: Call; gasLimit: bigint; chainNonce: number };

/** What was signed, and what became of the offer to the endpoint; `refused` where it is offered again later. */
export type SentTransaction = RecordedTransaction & { offered: Offered | { state: "refused" } };

/**
 * Sends one call from the node's account: simulated first, with a nonce from the one allocator, on disk before it is
 * broadcast. From then on it can be replaced, repeated and followed to its receipt by any process, also after a kill
 * between the two: by `followTransaction` for a job, by `tendAccount` for every other purpose.
 *
 * Returns undefined, and uses no nonce, while gas is above the ceiling, or where the job has a transaction already.
 * @throws WouldRevertError; RefusedByEndpointError where this call has to wait and others need not, also for a job whose
 * transaction is recorded and not taken; another RetryableError where the endpoint fails
 */
export async function sendTransaction(request: Request): Promise<SentTransaction | undefined> {
  const { context, view, purpose, requestId } = request;
  const fees = request.fees ?? context.gate.choose(view.market);
  if (fees === undefined) return undefined;
  const prepared = await prepare({ request, fees });
  const transaction = await record({ request, prepared, fees });
  if (transaction === undefined) return undefined;
  const { hash, nonce } = transaction;
  context.metrics.transactions.inc({ event: "signed" });
  context.logger.debug({ purpose, requestId, transaction: hash, nonce }, "signed");
  if (requestId !== undefined) {
    return { ...transaction, offered: await offerAttempt({ context, view, transaction }) };
  }
  const offered = await offerAttempt({ context, view, transaction }).catch((error: unknown) => {
    // It is an open transaction like any other: the next look after the account offers it again.
    if (error instanceof RefusedByEndpointError) return { state: "refused" } as const;
    throw error;
  });
  if (offered.state === "sent") {
    await recordSent({ database: context.database, hash: offered.hash });
  }
  return { ...transaction, offered };
}

/** Nodes refuse what the account could not pay at the highest fee: no nonce is used for that. */
async function prepare(parameters: { request: Request; fees: Fees }): Promise<Prepared> {
  const { request, fees } = parameters;
  const { context, purpose, to, data } = request;
  const { funds, wallet } = context;
  const { provider } = context.chain;
  const from = wallet.address;
  const call = { to, data };
  const [gasLimit, chainNonce, balance] = await Promise.all([
    estimateGasLimit({ provider, from, call }),
    provider.getTransactionCount(from, "pending"),
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
function failureOf(parameters: { purpose: string; error: unknown }): Error {
  const { purpose, error } = parameters;
  const revert = revertOf(error);
  if (revert !== undefined) return new WouldRevertError({ purpose, revert, cause: error });
  const words = endpointWords(error) ?? "";
  if (!isAnswered(error) || refusalKindOf(words) === "endpoint") return rpcFailure(error);
  return new RefusedByEndpointError({
    code: "transaction.notEstimated",
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
  const { context, purpose, requestId } = request;
  const { chain, database, wallet } = context;
  const { call, chainNonce, gasLimit } = prepared;
  const { chainId } = chain;
  const sign = (nonce: number) => signCall({ wallet, chainId, call, nonce, gasLimit, fees });
  if (requestId !== undefined) {
    return await recordTransaction({ database, requestId, chainNonce, sign });
  }
  return await database.transaction((tx) =>
    recordSigned({ tx, chainNonce, requestId: null, purpose, sign }),
  );
}
