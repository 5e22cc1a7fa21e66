import { setTimeout as delay } from "node:timers/promises";
import { BATCH_SETTLEMENT_ADDRESS, PERMIT2_COLLECTOR_ADDRESS } from "@haca/protocol/channelGates";
import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { isSameHex } from "@haca/protocol/isSameHex";
import type {
  Network,
  PaymentRequirements,
  SettleResponse,
  SupportedResponse,
  VerifyResponse,
} from "@x402/core/types";
import { PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from "@x402/evm";
import type { Logger } from "pino";
import { createPublicClient, erc20Abi, type Hex, http } from "viem";
import { RetryableError } from "../../../errors.ts";
import type { Database } from "../../../storage/database.ts";
import { acceptPayment, findPaymentOf } from "./acceptPayment.ts";
import { CommerceOpenings, type OperatorState } from "./commerceOpenings.ts";
import { type ChannelState, Deposits, type GateState } from "./deposits.ts";
import { Openings } from "./openings.ts";
import { hashOf, type Payment } from "./payment.ts";
import { unavailable } from "./paymentFailures.ts";
import { type PaymentJob, paymentJobOf, resultOf } from "./paymentJob.ts";
import { createPaymentProtocol } from "./paymentProtocol.ts";
import { claimTelling, findPayment, promisePayment, withdrawPayment } from "./paymentQueue.ts";
import { DEPOSIT_SCHEME, type PaymentRequest, parsePaymentRequest } from "./paymentRequest.ts";

export type PaymentsContext = {
  database: Database;
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** address that pays the gas */
  account: string;
  /** address of OPG, which payments are in */
  token: string;
  /** other tokens in which jobs of operators may be */
  otherTokens: readonly string[];
  /** address of InferenceEscrow, where jobs of it are opened */
  escrow: string | undefined;
  /** address of ChannelGates, to whose gates' channels deposits are brought */
  gates: string | undefined;
  /** address of CommerceOperators, of whose operators jobs are opened */
  operators: string | undefined;
  /** for whom payments are settled; nobody: none are */
  receivers: readonly string[];
  /** least deposit into a channel that is brought, in smallest units */
  leastDeposit: bigint;
  /** how long an answer waits for the payment */
  waitMs: number;
  pollMs: number;
  /** ends every wait */
  stopping: AbortSignal;
  /** there is something new to settle */
  onAccepted: () => void;
  logger: Logger;
};

/** What `/settle` answers: 202 with the job of a payment that is under way still. */
export type Settled =
  | { status: 200; body: SettleResponse }
  | { status: 202; body: SettleResponse & { paymentJob: PaymentJob } };

/** Payments by x402: what the routes `/verify`, `/settle` and `/supported` answer. */
export type Payments = {
  supported: SupportedResponse;
  /** The same, with the fee that jobs of the escrow have to name now. @throws RetryableError */
  readSupported(): Promise<SupportedResponse>;
  /** @throws BadSubmissionError; RetryableError where the endpoint fails */
  verify(body: unknown): Promise<VerifyResponse>;
  /** @throws as `verify` */
  settle(parameters: {
    body: unknown;
    /** whether the client asks for the job, and not for the outcome */
    isAsync: boolean;
    /** ends when the client has gone */
    signal: AbortSignal;
  }): Promise<Settled>;
  findJob(jobId: string): Promise<PaymentJob | undefined>;
  /** How a payment channel stands; undefined where none are served. @throws RetryableError */
  readChannel(channelId: string): Promise<ChannelState | undefined>;
  /** A gate of payment channels; undefined where there is none. @throws RetryableError */
  readGate(address: string): Promise<GateState | undefined>;
  /** An operator of commerce payments; undefined where there is none. @throws RetryableError */
  readOperator(address: string): Promise<OperatorState | undefined>;
};

/** Of any payer of a token. */
const MAXIMUM_BALANCE = (1n << 256n) - 1n;

type Refusal = { reason: string; message: string };

/**
 * The protocol is the library's; what is here is whom this account pays gas for. Nobody says who they are, and whoever has a
 * token can move it to themselves without end: so payments are settled for receivers that the operator has named, in OPG or, into
 * the public escrow, in tokens that the operator has named, each once, and not more at a time than the payer has. `upto` needs Permit2 and its proxy, and is offered where they are.
 */
export async function createPayments(context: PaymentsContext): Promise<Payments> {
  const { account, chainId, database, logger, pollMs, receivers, rpcTimeoutMs, rpcUrl } = context;
  const { escrow, gates, leastDeposit, operators, otherTokens, stopping, token } = context;
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: rpcTimeoutMs, retryCount: 0 }),
  });
  const network: Network = `eip155:${chainId}`;
  const asking = async <Answer>(question: Promise<Answer>): Promise<Answer> =>
    await question.catch((cause: unknown) => {
      throw unavailable(cause);
    });
  const hasCode = async (address: Hex) =>
    ((await asking(client.getCode({ address }))) ?? "0x") !== "0x";
  const schemes = ["exact"];
  if ((await hasCode(PERMIT2_ADDRESS)) && (await hasCode(x402UptoPermit2ProxyAddress))) {
    schemes.push("upto");
  }
  const offered = receivers.length === 0 ? [] : schemes;
  const protocol = createPaymentProtocol({
    ...{ client, account, token, network, logger },
    schemes: offered,
  });
  const openings =
    escrow === undefined || !offered.includes("upto")
      ? undefined
      : new Openings({ escrow, client, account, receivers });
  const areChannelsThere =
    gates !== undefined && receivers.length > 0 && (await hasCode(BATCH_SETTLEMENT_ADDRESS));
  const takesPermits =
    (await hasCode(PERMIT2_ADDRESS)) && (await hasCode(PERMIT2_COLLECTOR_ADDRESS));
  const deposits = areChannelsThere
    ? new Deposits({ gates, chainId, client, account, receivers, leastDeposit, takesPermits })
    : undefined;
  const commerce =
    operators !== undefined && receivers.length > 0
      ? new CommerceOpenings({
          ...{ operators, chainId, client, account, receivers },
          tokens: [token, ...otherTokens],
        })
      : undefined;
  const supported = withOwn({ supported: protocol.supported, deposits, commerce, network });
  /** What is not the library's, by whose call a payment is made. */
  const ownOf = (requirements: PaymentRequirements) =>
    [openings, commerce].find((it) => it?.isOpening(requirements)) ??
    (deposits?.isDeposit(requirements) ? deposits : undefined);
  /** Payments that a request of this process waits for. */
  const awaited = new Set<string>();

  const refusalOf = async (request: PaymentRequest): Promise<Refusal | undefined> => {
    const { payload, requirements } = request;
    const { asset, payTo, scheme } = requirements;
    if (payload.x402Version !== 2) {
      return { reason: "invalid_x402_version", message: "only version 2 is spoken here" };
    }
    const own = ownOf(requirements);
    if (!offered.includes(scheme) && own === undefined) {
      return { reason: "unsupported_scheme", message: `offered: ${offered.join(", ") || "none"}` };
    }
    if (requirements.network !== network) {
      return { reason: "invalid_network", message: `must be ${network}` };
    }
    const taken = own === commerce && own !== undefined ? [token, ...otherTokens] : [token];
    if (!taken.some((one) => isSameHex(one, asset))) {
      const message = `asset: must be ${taken.join(" or ")}`;
      return { reason: "invalid_payment_requirements", message };
    }
    if (own !== undefined) return await own.refusalOf(request);
    if (!receivers.some((receiver) => isSameHex(receiver, payTo))) {
      const message = `payTo: this facilitator settles nothing for ${payTo}`;
      return { reason: "invalid_payment_requirements", message };
    }
    return undefined;
  };

  const failed = (parameters: {
    payer: string;
    reason: string;
    message: string;
    transaction?: string;
  }): Settled => {
    const { message: errorMessage, payer, reason: errorReason, transaction = "" } = parameters;
    return {
      status: 200,
      body: { success: false, errorReason, errorMessage, payer, transaction, network },
    };
  };
  const duplicate = (payer: string, transaction?: string): Settled =>
    failed({
      ...{ payer, reason: "duplicate_settlement" },
      message: "this payment is being settled for another request, or was",
      ...(transaction === undefined ? {} : { transaction }),
    });

  /** The call that makes a payment, where the library knows none of its kind. */
  const ownCallOf = async (request: PaymentRequest) =>
    await ownOf(request.requirements)?.find(request);

  /** Verifies a payment and puts it on disk; what refuses it is the answer. */
  const accept = async (request: PaymentRequest): Promise<Payment | Settled> => {
    const { payer } = request;
    const head = Number(await asking(client.getBlockNumber({ cacheTime: 0 })));
    const found = (await ownCallOf(request)) ?? (await protocol.findCall(request));
    if ("answer" in found) return { status: 200, body: found.answer };
    const address = request.requirements.asset as Hex;
    const read = { abi: erc20Abi, address, functionName: "balanceOf" } as const;
    const holds = await asking(client.readContract({ ...read, args: [payer as Hex] }));
    // Of a job that is open already the payer has nothing more to pay.
    const balance = "isDone" in found && found.isDone ? MAXIMUM_BALANCE : holds;
    const { call } = found;
    const payment = await acceptPayment({ database, request, call, balance, head });
    if (payment !== undefined) return payment;
    const message = "the payer has less than what is being settled for them";
    return failed({ payer, reason: "insufficient_funds", message });
  };

  /** The answer about a payment that is decided; its success is told once. */
  const answerOf = async (payment: Payment): Promise<Settled | undefined> => {
    const { id, payer, state } = payment;
    if (state === "accepted" || state === "sent") return undefined;
    if (state === "settled" && !(await claimTelling({ database, id }))) {
      return duplicate(payer, hashOf(payment));
    }
    return { status: 200, body: resultOf(payment, network) };
  };

  /** Waits for a payment to be decided, until the time is up or nobody wants to know any more. */
  const waitFor = async (payment: Payment, signal: AbortSignal): Promise<Settled | undefined> => {
    let current: Payment | undefined = payment;
    while (current !== undefined && !signal.aborted) {
      const answer = await answerOf(current);
      if (answer !== undefined) return answer;
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
      current = await findPayment({ database, jobId: payment.jobId });
    }
    return undefined;
  };

  /** Gives the client the payment's id, unless there is an outcome to give them. */
  const promise = async ({ id, jobId }: Payment): Promise<Settled> => {
    const isThere = await promisePayment({ database, id });
    const current = isThere ? await findPayment({ database, jobId }) : undefined;
    if (current === undefined) throw withdrawn();
    const answer = await answerOf(current);
    if (answer !== undefined) return answer;
    const paymentJob = paymentJobOf(current, network);
    return { status: 202, body: { ...resultOf(current, network), paymentJob } };
  };

  const settle: Payments["settle"] = async ({ body, isAsync, signal }) => {
    const request = parsePaymentRequest(body);
    const { contentHash, payer } = request;
    const refusal = await refusalOf(request);
    if (refusal !== undefined) return failed({ payer, ...refusal });
    const known = await findPaymentOf({ database, request });
    const payment = known === undefined || known.state === "failed" ? await accept(request) : known;
    if ("status" in payment) return payment;
    const { id } = payment;
    // Whoever has only seen the authorization's number learns nothing, and gets nobody's success.
    if (payment.contentHash !== contentHash || awaited.has(id)) return duplicate(payer);
    context.onAccepted();
    if (isAsync) return await promise(payment);
    awaited.add(id);
    try {
      const ends = AbortSignal.any([stopping, signal, AbortSignal.timeout(context.waitMs)]);
      const answer = await waitFor(payment, ends);
      if (answer !== undefined) return answer;
      // Nobody is promised a payment that was not sent: who takes this for a refusal would be charged for it later.
      const isWithdrawn = await withdrawPayment({ database, id });
      // Nor is a success told to who does not hear it.
      if (isWithdrawn || signal.aborted) throw withdrawn();
      return await promise(payment);
    } finally {
      awaited.delete(id);
    }
  };

  return {
    supported,
    async readSupported() {
      if (openings === undefined) return supported;
      const haca = { escrow: openings.escrow, feeBps: await openings.fee() };
      const kinds = supported.kinds.map((kind) =>
        kind.scheme === "upto" ? { ...kind, extra: { ...kind.extra, haca } } : kind,
      );
      return { ...supported, kinds };
    },
    async verify(body) {
      const request = parsePaymentRequest(body);
      const refusal = await refusalOf(request);
      const found = refusal === undefined ? await ownCallOf(request) : undefined;
      if (found !== undefined) {
        const isValid = "call" in found && !found.isDone;
        const invalidReason =
          "answer" in found ? (found.answer.errorReason ?? "") : "duplicate_settlement";
        return { isValid, payer: request.payer, ...(isValid ? {} : { invalidReason }) };
      }
      if (refusal === undefined) return await protocol.verify(request);
      const { message: invalidMessage, reason: invalidReason } = refusal;
      return { isValid: false, invalidReason, invalidMessage, payer: request.payer };
    },
    settle,
    async findJob(jobId) {
      const payment = await findPayment({ database, jobId });
      return payment && paymentJobOf(payment, network);
    },
    readChannel: async (channelId) => await deposits?.readChannel(channelId),
    readGate: async (address) => await deposits?.readGate(address),
    readOperator: async (address) => await commerce?.readOperator(address),
  };
}

/** What is supported, with deposits into channels, and payments into the public escrow, where these are brought. */
function withOwn(parameters: {
  supported: SupportedResponse;
  deposits: Deposits | undefined;
  commerce: CommerceOpenings | undefined;
  network: Network;
}): SupportedResponse {
  const { commerce, deposits, network, supported } = parameters;
  const shared = { x402Version: 2, network };
  const kinds: SupportedResponse["kinds"] = [...supported.kinds];
  if (deposits !== undefined) {
    kinds.push({ ...shared, scheme: DEPOSIT_SCHEME, extra: { gates: deposits.gates } });
  }
  if (commerce !== undefined) {
    kinds.push({ ...shared, scheme: COMMERCE_SCHEME, extra: { operators: commerce.operators } });
  }
  return { ...supported, kinds };
}

const withdrawn = (): RetryableError =>
  new RetryableError({
    code: "payment.notSent",
    message: "the payment could not be sent in time, and was given up",
  });
