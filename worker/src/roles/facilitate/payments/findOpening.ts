import { escrowInterface, jobOpenedIn } from "@haca/protocol/escrowCalls";
import { escrowJobId } from "@haca/protocol/inferenceEscrow";
import type { JsonRpcProvider } from "ethers";
import { answerOf, rpcFailure } from "../../../chain/rpcErrors.ts";
import { isAnswered } from "../../../endpointWords.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import type { Payment } from "./payment.ts";
import type { MinedBlock } from "./paymentQueue.ts";

/** More than are made in the time in which a permit can be used. */
const LOOKBACK_BLOCKS = 5_000;

/**
 * The transaction of somebody else that has opened the job of a payment: anybody may who sees the permit, and under the same
 * terms alone. Undefined where what used the permit's nonce was another payment.
 */
export async function findOpening(parameters: {
  provider: JsonRpcProvider;
  escrow: string;
  payment: Payment;
  confirmations: number;
}): Promise<MinedBlock | "unconfirmed" | undefined> {
  const { confirmations, escrow, payment, provider } = parameters;
  const { acceptedBlock, data, nonce, payer } = payment;
  const topics = [
    escrowInterface.getEvent("JobOpened")?.topicHash ?? null,
    escrowJobId({ payer, nonce }),
  ];
  const fromBlock = Math.max(0, acceptedBlock - LOOKBACK_BLOCKS);
  const logs = await provider
    .getLogs({ address: escrow, topics, fromBlock })
    .catch((error: unknown) => {
      if (!isAnswered(error)) throw rpcFailure(error);
      throw new RefusedByEndpointError({
        code: "payment.notSearched",
        message: `the endpoint does not say who opened a job: ${describeError(error)}`,
        cause: error,
      });
    });
  const [log] = logs;
  const job = jobOpenedIn({ logs, escrow, payer, nonce });
  if (log === undefined || job === undefined) return undefined;
  if ((await answerOf(provider.getBlockNumber())) - log.blockNumber + 1 < confirmations) {
    return "unconfirmed";
  }
  const [terms, given] = escrowInterface.decodeFunctionData("open", data);
  const isSame =
    JSON.stringify(Object.values(terms.toObject()).map(String)) ===
      JSON.stringify(Object.values(job.terms).map(String)) && given.amount === job.amount;
  const { blockHash, blockNumber, transactionHash: hash } = log;
  return isSame ? { hash, blockNumber, blockHash } : undefined;
}
