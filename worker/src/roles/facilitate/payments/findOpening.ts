import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { escrowInterface, jobOpenedIn } from "@haca/protocol/escrowCalls";
import { escrowJobId } from "@haca/protocol/inferenceEscrow";
import {
  commerceJobsIn,
  encodeCommerceJob,
  jobInOpening,
  operatorInterface,
} from "@haca/protocol/operatorCalls";
import { type JsonRpcProvider, type Log, zeroPadValue } from "ethers";
import { answerOf, rpcFailure } from "../../../chain/rpcErrors.ts";
import { isAnswered } from "../../../endpointWords.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import type { Payment } from "./payment.ts";
import type { MinedBlock } from "./paymentQueue.ts";

/** More than are made in the time in which a permit can be used. */
const LOOKBACK_BLOCKS = 5_000;

/** Whether a payment goes into the public escrow: what it calls is the operator. */
export const isCommerce = ({ scheme }: Pick<Payment, "scheme">): boolean =>
  scheme === COMMERCE_SCHEME;

/** Whether logs have the opening of a payment's job by its operator. */
export const hasOpened = (payment: Payment, logs: readonly Log[]): boolean =>
  commerceOpeningIn(payment, logs) !== undefined;

/**
 * The transaction of somebody else that has opened the job of a payment: anybody may who sees what the payer has signed, and under
 * the same terms alone. Undefined where what used its nonce was another payment.
 */
export async function findOpening(parameters: {
  provider: JsonRpcProvider;
  /** to the escrow, or to an operator of commerce payments */
  payment: Payment;
  confirmations: number;
}): Promise<MinedBlock | "unconfirmed" | undefined> {
  const { confirmations, payment, provider } = parameters;
  const { acceptedBlock, to: address } = payment;
  const topics = isCommerce(payment) ? commerceTopics(payment) : escrowTopics(payment);
  const fromBlock = Math.max(0, acceptedBlock - LOOKBACK_BLOCKS);
  const logs = await provider.getLogs({ address, topics, fromBlock }).catch((error: unknown) => {
    if (!isAnswered(error)) throw rpcFailure(error);
    throw new RefusedByEndpointError({
      code: "payment.notSearched",
      message: `the endpoint does not say who opened a job: ${describeError(error)}`,
      cause: error,
    });
  });
  const log = isCommerce(payment) ? commerceOpeningIn(payment, logs) : logs[0];
  if (log === undefined) return undefined;
  const { blockHash, blockNumber, transactionHash: hash } = log;
  if ((await answerOf(provider.getBlockNumber())) - blockNumber + 1 < confirmations) {
    return "unconfirmed";
  }
  const isSame = isCommerce(payment) || isSameJob(payment, logs);
  return isSame ? { hash, blockNumber, blockHash } : undefined;
}

const escrowTopics = ({ nonce, payer }: Payment): (string | null)[] => [
  escrowInterface.getEvent("JobOpened")?.topicHash ?? null,
  escrowJobId({ payer, nonce }),
];

/** Whether the job that the logs have opened is the one that the payment is to open. */
function isSameJob({ data, nonce, payer, to: escrow }: Payment, logs: readonly Log[]): boolean {
  const job = jobOpenedIn({ logs, escrow, payer, nonce });
  const [terms, given] = escrowInterface.decodeFunctionData("open", data);
  const words = (of: object) => JSON.stringify(Object.values(of).map(String));
  return (
    job !== undefined && words(terms.toObject()) === words(job.terms) && given.amount === job.amount
  );
}

const WORD = 32;

const commerceTopics = ({ data, payer }: Payment): (string | null)[] => [
  ...[operatorInterface.getEvent("JobOpened")?.topicHash ?? null, null],
  ...[zeroPadValue(payer, WORD), jobInOpening(data).requestHash],
];

function commerceOpeningIn({ data, to: operator }: Payment, logs: readonly Log[]) {
  const wanted = encodeCommerceJob(jobInOpening(data));
  const opened = commerceJobsIn({ logs, operator });
  return opened.find(({ job }) => encodeCommerceJob(job) === wanted)?.log;
}
