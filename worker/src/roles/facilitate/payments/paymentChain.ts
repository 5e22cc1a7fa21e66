import { PERMIT2_ADDRESS } from "@x402/evm";
import {
  Interface,
  type JsonRpcProvider,
  type Log,
  type TransactionReceipt,
  toBeHex,
  zeroPadValue,
} from "ethers";
import { requireAnswer } from "../../../chain/chain.ts";
import { answerOf, rpcFailure } from "../../../chain/rpcErrors.ts";
import { isAnswered } from "../../../endpointWords.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { findOpening, hasOpened, isCommerce } from "./findOpening.ts";
import type { Payment } from "./payment.ts";
import type { MinedBlock, PaymentOutcome } from "./paymentQueue.ts";

const tokenInterface = new Interface([
  "function authorizationState(address authorizer, bytes32 nonce) view returns (bool)",
  "function balanceOf(address account) view returns (uint256)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)",
  "event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
]);
const permit2Interface = new Interface([
  "function nonceBitmap(address owner, uint256 word) view returns (uint256)",
]);
/** By how much machines of one endpoint may differ in what the head is. */
const SLACK_BLOCKS = 64;
const topicOf = (name: string): string => tokenInterface.getEvent(name)?.topicHash ?? "";
const word = (value: string | bigint): string =>
  typeof value === "bigint" ? toBeHex(value, 32) : zeroPadValue(value, 32);

/** What the chain knows of payments. */
export type PaymentChain = {
  /** What a transaction of the account, which has its confirmations, has done for a payment. */
  judge(payment: Payment, receipt: TransactionReceipt): Promise<PaymentOutcome | undefined>;
  /** What became of a payment that the account cannot make any more; undefined where that is not certain yet. */
  explain(payment: Payment): Promise<PaymentOutcome | undefined>;
  /** Whether the latest block is too late for a payment. */
  isExpired(payment: Payment): Promise<boolean>;
};

export function createPaymentChain(parameters: {
  provider: JsonRpcProvider;
  /** address of OPG, of payments that name no token */
  token: string;
  /** of InferenceEscrow, where jobs of it are opened */
  escrow?: string | undefined;
  confirmations: number;
}): PaymentChain {
  const { confirmations, escrow, provider } = parameters;
  const tokenOf = (payment: Payment): string => payment.token ?? parameters.token;

  const read = async (of: Interface, to: string, name: string, values: unknown[]) => {
    const answer = await answerOf(provider.call({ to, data: of.encodeFunctionData(name, values) }));
    requireAnswer({ answer, name, to });
    return of.decodeFunctionResult(name, answer)[0] as bigint;
  };
  const readToken = (payment: Payment, name: string, ...values: unknown[]) =>
    read(tokenInterface, tokenOf(payment), name, values);

  const isUsed = async (payment: Payment): Promise<boolean> => {
    const { method, nonce, payer } = payment;
    if (method === "transfer") {
      return Boolean(await readToken(payment, "authorizationState", payer, toBeHex(nonce, 32)));
    }
    const values = [payer, nonce >> 8n];
    const bits = await read(permit2Interface, PERMIT2_ADDRESS, "nonceBitmap", values);
    return ((bits >> (nonce & 255n)) & 1n) === 1n;
  };

  const isExpired = async ({ validUntil }: Payment): Promise<boolean> => {
    const block = await answerOf(provider.getBlock("latest"));
    return block !== null && BigInt(block.timestamp) >= validUntil;
  };

  const isTransferOf = (payment: Payment) => (log: Log) =>
    log.address.toLowerCase() === tokenOf(payment).toLowerCase() &&
    log.topics[0] === topicOf("Transfer") &&
    log.topics[1] === word(payment.payer.toLowerCase()) &&
    log.topics[2] === word(payment.receiver.toLowerCase()) &&
    log.data === word(payment.amount);

  /**
   * The transaction of somebody else that has used the authorization to pay just this: anybody may who sees it. The token tells
   * of the use and of the transfer in one breath; another transfer in the same transaction is another payment's.
   */
  const findUse = async (payment: Payment): Promise<MinedBlock | "unconfirmed" | undefined> => {
    const isOfEscrow = escrow !== undefined && payment.to.toLowerCase() === escrow.toLowerCase();
    if (isOfEscrow || isCommerce(payment)) {
      const opening = await findOpening({ provider, payment, confirmations });
      // A payer may have cancelled it: until nothing can open the job, its log may be late.
      const isOpen = opening === undefined && isCommerce(payment) && !(await isExpired(payment));
      return isOpen ? "unconfirmed" : opening;
    }
    if (payment.method !== "transfer") return undefined;
    const ends = [topicOf("AuthorizationUsed"), topicOf("AuthorizationCanceled")];
    const topics = [ends, word(payment.payer), word(payment.nonce)];
    const fromBlock = Math.max(0, payment.acceptedBlock - SLACK_BLOCKS);
    const filter = { address: tokenOf(payment), topics, fromBlock };
    const [used] = await provider.getLogs(filter).catch((error: unknown) => {
      if (!isAnswered(error)) throw rpcFailure(error);
      throw new RefusedByEndpointError({
        code: "payment.notSearched",
        message: `the endpoint does not say who used an authorization: ${describeError(error)}`,
        cause: error,
      });
    });
    // Its logs may be behind the state that one machine of the endpoint has shown.
    if (used === undefined) return (await isExpired(payment)) ? undefined : "unconfirmed";
    const { blockHash, blockNumber, index, transactionHash: hash } = used;
    if ((await answerOf(provider.getBlockNumber())) - blockNumber + 1 < confirmations) {
      return "unconfirmed";
    }
    if (used.topics[0] !== topicOf("AuthorizationUsed")) return undefined;
    const receipt = await answerOf(provider.getTransactionReceipt(hash));
    if (receipt === null) return "unconfirmed";
    const next = receipt.logs.find((log) => log.index === index + 1);
    return next !== undefined && isTransferOf(payment)(next)
      ? { hash, blockNumber, blockHash }
      : undefined;
  };

  const explain = async (
    payment: Payment,
    mined?: MinedBlock,
  ): Promise<PaymentOutcome | undefined> => {
    const failed = (failure: string): PaymentOutcome => ({
      ...{ state: "failed", failure },
      ...(mined === undefined ? {} : { mined }),
    });
    const words = WORDS[payment.method];
    if (await isUsed(payment)) {
      const use = await findUse(payment);
      if (use === "unconfirmed") return undefined;
      return use === undefined ? failed(words.used) : { state: "settled", mined: use };
    }
    if (await isExpired(payment)) return failed(words.expired);
    if ((await readToken(payment, "balanceOf", payment.payer)) < payment.amount) {
      return failed(words.balance);
    }
    const isAllowed =
      payment.method === "transfer" ||
      (await readToken(payment, "allowance", payment.payer, PERMIT2_ADDRESS)) >= payment.amount;
    const scheme = payment.scheme.replaceAll("-", "_");
    return failed(isAllowed ? `invalid_${scheme}_evm_transaction_failed` : words.allowance);
  };

  return {
    isExpired,
    explain: (payment) => explain(payment),
    async judge(payment, receipt) {
      const { blockHash, blockNumber, gasUsed, hash, logs, status } = receipt;
      const mined = { hash, blockNumber, blockHash, gasUsed };
      if (status !== 1) return await explain(payment, mined);
      // What a collector brings may go anywhere first: the operator tells of the job.
      const isDone = isCommerce(payment)
        ? hasOpened(payment, logs)
        : logs.some(isTransferOf(payment));
      return isDone
        ? { state: "settled", mined }
        : { state: "failed", failure: TRANSFER_MISMATCH, mined };
    },
  };
}

/** As the protocol's library has them. */
const WORDS = {
  transfer: {
    used: "invalid_exact_evm_nonce_already_used",
    expired: "invalid_exact_evm_payload_authorization_valid_before",
    balance: "invalid_exact_evm_insufficient_balance",
    allowance: "",
  },
  permit2: {
    used: "permit2_invalid_nonce",
    expired: "permit2_deadline_expired",
    balance: "permit2_insufficient_balance",
    allowance: "permit2_allowance_required",
  },
} as const;
const TRANSFER_MISMATCH = "invalid_exact_evm_transfer_event_mismatch";
