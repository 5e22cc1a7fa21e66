import { InMemoryPendingSettlementStore, x402Facilitator } from "@x402/core/facilitator";
import type { Network, SettleResponse, SupportedResponse, VerifyResponse } from "@x402/core/types";
import { PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import { keccak256, toUtf8Bytes } from "ethers";
import type { Logger } from "pino";
import { createPublicClient, erc20Abi, type Hex, http } from "viem";
import { describeError, RetryableError } from "../../../errors.ts";
import { BadSubmissionError } from "../facilitatorErrors.ts";
import type { Sender } from "../sender.ts";
import { isTransportFailure } from "./paymentFailures.ts";
import { type PaymentRequest, parsePaymentRequest } from "./paymentRequest.ts";
import { createPaymentSigner } from "./paymentSigner.ts";

export type PaymentsContext = {
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** address of OPG, the only token that payments are in */
  token: string;
  /** for whom payments are settled; nobody: none are */
  receivers: readonly string[];
  sender: Sender;
  pollMs: number;
  logger: Logger;
};

/** Payments by x402: what the routes `/verify`, `/settle` and `/supported` answer. */
export type Payments = {
  supported: SupportedResponse;
  /** @throws BadSubmissionError; RetryableError where the endpoint fails */
  verify(body: unknown): Promise<VerifyResponse>;
  /** @throws as `verify` */
  settle(body: unknown): Promise<SettleResponse>;
};

type Refusal = { reason: string; message: string };

/**
 * The protocol is the library's; what is here is whom this account pays gas for. Nobody says who they are, and whoever has a
 * token can move it to themselves without end: so payments are settled for receivers that the operator has named, in OPG, each
 * once, and not more at a time than the payer has. `upto` needs Permit2 and its proxy, and is offered where they are.
 */
export async function createPayments(context: PaymentsContext): Promise<Payments> {
  const { chainId, receivers, rpcTimeoutMs, rpcUrl, sender, token } = context;
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: rpcTimeoutMs, retryCount: 0 }),
  });
  const network: Network = `eip155:${chainId}`;
  const hasCode = async (address: Hex) => {
    const code = await client.getCode({ address }).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    return (code ?? "0x") !== "0x";
  };
  const schemes = ["exact"];
  if ((await hasCode(PERMIT2_ADDRESS)) && (await hasCode(x402UptoPermit2ProxyAddress))) {
    schemes.push("upto");
  }
  const offered = receivers.length === 0 ? [] : schemes;
  const pending = {
    exact: new InMemoryPendingSettlementStore(),
    upto: new InMemoryPendingSettlementStore(),
  };
  const nonces = new Map<string, number>();
  const underWay = new Map<string, { payer: string; amount: bigint }>();

  /** A facilitator for one request, that knows what failed on its way. */
  const facilitatorFor = ({ key }: Pick<PaymentRequest, "key">) => {
    const purpose = `payment ${keccak256(toUtf8Bytes(key))}`;
    const { pollMs } = context;
    const made = createPaymentSigner({ client, token, sender, pollMs, purpose, nonces });
    const facilitator = new x402Facilitator();
    for (const scheme of offered) {
      facilitator.register(
        network,
        scheme === "exact"
          ? new ExactEvmScheme(made.signer, {
              simulateInSettle: true,
              pendingSettlementStore: pending.exact,
            })
          : new UptoEvmScheme(made.signer, { pendingSettlementStore: pending.upto }),
      );
    }
    return { ...made, facilitator };
  };

  const refusalOf = ({ payload, requirements }: PaymentRequest): Refusal | undefined => {
    const { asset, payTo, scheme } = requirements;
    const isSame = (a: string) => (b: string) => a.toLowerCase() === b.toLowerCase();
    if (payload.x402Version !== 2) {
      return { reason: "invalid_x402_version", message: "only version 2 is spoken here" };
    }
    if (!offered.includes(scheme)) {
      return { reason: "unsupported_scheme", message: `offered: ${offered.join(", ") || "none"}` };
    }
    if (requirements.network !== network) {
      return { reason: "invalid_network", message: `must be ${network}` };
    }
    if (!isSame(token)(asset)) {
      return { reason: "invalid_payment_requirements", message: `asset: must be ${token}` };
    }
    if (!receivers.some(isSame(payTo))) {
      const message = `payTo: this facilitator settles nothing for ${payTo}`;
      return { reason: "invalid_payment_requirements", message };
    }
    return undefined;
  };

  /** Has the library look at a payment. What it stumbles over is malformed; what failed on the way is no verdict. */
  const ask = async <Answer>(parameters: {
    request: PaymentRequest;
    operation: (facilitator: x402Facilitator) => Promise<Answer>;
    isVerdict: (answer: Answer) => boolean;
  }): Promise<{ answer: Answer; minedHash: string | undefined }> => {
    const { isVerdict, operation, request } = parameters;
    const { facilitator, failure, minedHash } = facilitatorFor(request);
    let answer: Answer;
    try {
      answer = await operation(facilitator);
    } catch (error) {
      if (failure() !== undefined || isTransportFailure(error))
        throw unavailable(failure() ?? error);
      context.logger.warn({ error: describeError(error) }, "a payment cannot be read");
      throw new BadSubmissionError("paymentPayload", "cannot be read as a payment", error);
    }
    if (failure() !== undefined && !isVerdict(answer)) throw unavailable(failure());
    return { answer, minedHash: minedHash() };
  };

  const verify: Payments["verify"] = async (body) => {
    const request = parsePaymentRequest(body);
    const refusal = refusalOf(request);
    const { payer, payload, requirements } = request;
    if (refusal !== undefined) {
      return {
        isValid: false,
        invalidReason: refusal.reason,
        invalidMessage: refusal.message,
        payer,
      };
    }
    const { answer } = await ask({
      request,
      operation: (facilitator) => facilitator.verify(payload, requirements),
      isVerdict: ({ isValid }) => isValid,
    });
    return answer;
  };

  const settle: Payments["settle"] = async (body) => {
    const request = parsePaymentRequest(body);
    const { amount, key, payer, payload, requirements } = request;
    const failed = (errorReason: string, errorMessage: string): SettleResponse => {
      return { success: false, errorReason, errorMessage, payer, transaction: "", network };
    };
    const refusal = refusalOf(request);
    if (refusal !== undefined) return failed(refusal.reason, refusal.message);
    const balance = await client
      .readContract({
        ...{ abi: erc20Abi, address: token as Hex, functionName: "balanceOf" },
        args: [payer as Hex],
      })
      .catch((cause: unknown) => {
        throw unavailable(cause);
      });
    if (underWay.has(key)) {
      return failed("duplicate_settlement", "this payment is being settled");
    }
    // From here to the reservation nothing waits: two payments cannot both count on one balance.
    const reserved = [...underWay.values()]
      .filter((other) => other.payer === payer.toLowerCase())
      .reduce((sum, other) => sum + other.amount, 0n);
    if (balance < reserved + amount) {
      return failed("insufficient_funds", "the payer has less than what is being settled for them");
    }
    underWay.set(key, { payer: payer.toLowerCase(), amount });
    try {
      const { answer, minedHash } = await ask({
        request,
        operation: (facilitator) => facilitator.settle(payload, requirements),
        isVerdict: ({ success, transaction }) => success || transaction !== "",
      });
      const { success, errorReason, transaction } = answer;
      context.logger.info({ payer, transaction, success, errorReason }, "payment");
      return minedHash === undefined ? answer : { ...answer, transaction: minedHash };
    } finally {
      underWay.delete(key);
    }
  };

  const { facilitator } = facilitatorFor({ key: "" });
  const { kinds } = facilitator.getSupported() as SupportedResponse;
  const signers = { "eip155:*": [sender.account] };
  return { supported: { kinds, extensions: [], signers }, verify, settle };
}

const unavailable = (cause: unknown): RetryableError =>
  new RetryableError({
    code: "payment.unavailable",
    message: "the endpoint does not answer about a payment",
    cause,
  });
