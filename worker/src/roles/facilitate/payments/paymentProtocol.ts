import { x402Facilitator } from "@x402/core/facilitator";
import type { Network, SettleResponse, SupportedResponse, VerifyResponse } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import { UptoEvmScheme } from "@x402/evm/upto/facilitator";
import type { Logger } from "pino";
import { encodeFunctionData, type Hex, type PublicClient } from "viem";
import { describeError } from "../../../errors.ts";
import { BadSubmissionError } from "../facilitatorErrors.ts";
import { isTransportFailure, unavailable } from "./paymentFailures.ts";
import type { PaymentRequest } from "./paymentRequest.ts";

/** A call that settles a payment. */
export type PaymentCall = { to: string; data: string };

/** What the protocol's own library says of payments. It sends nothing: what it would send is what it is asked for. */
export type PaymentProtocol = {
  supported: SupportedResponse;
  /** @throws BadSubmissionError; RetryableError where the endpoint fails */
  verify(request: PaymentRequest): Promise<VerifyResponse>;
  /** Verifies a payment; returns the call that settles it, or the answer where none does. @throws as `verify` */
  findCall(request: PaymentRequest): Promise<{ call: PaymentCall } | { answer: SettleResponse }>;
};

/** Whatever is no account with a key. */
const SOME_CODE: Hex = "0x00";
/** In place of the hash of a transaction that is made later, which the library waits for in vain. */
const NOT_SENT: Hex = `0x${"11".repeat(32)}`;

/**
 * The library reads, simulates, and then writes to the chain by the signer that it is given. That of one request notes what
 * fails on the way, because the library takes whatever fails for a payment that is bad; and it keeps what is to be written.
 */
export function createPaymentProtocol(parameters: {
  client: PublicClient;
  /** address that pays the gas, which proxies look at */
  account: string;
  /** address of the token that payments are in */
  token: string;
  network: Network;
  /** schemes that are offered */
  schemes: readonly string[];
  logger: Logger;
}): PaymentProtocol {
  const { account, client, logger, network, schemes, token } = parameters;

  const forOneRequest = () => {
    let failure: unknown;
    let call: PaymentCall | undefined;
    const noting = async <T>(operation: () => Promise<T>): Promise<T> => {
      try {
        return await operation();
      } catch (error) {
        if (isTransportFailure(error)) failure ??= error;
        throw error;
      }
    };
    const signer = toFacilitatorEvmSigner({
      address: account as Hex,
      readContract: (read) =>
        noting(() => client.readContract({ account: account as Hex, ...read } as never)),
      verifyTypedData: (message) => noting(() => client.verifyTypedData(message as never)),
      // The library asks for the token's code beside everything else, and leaves the answer where something else has
      // decided: a failure would end this process as one that nobody has caught. That the code is there is known.
      getCode: async ({ address }) =>
        address.toLowerCase() === token.toLowerCase()
          ? SOME_CODE
          : await noting(() => client.getCode({ address })),
      async writeContract({ address, dataSuffix = "0x", ...write }) {
        call = { to: address, data: encodeFunctionData(write as never) + dataSuffix.slice(2) };
        return NOT_SENT;
      },
      // Of wallets that are not deployed yet, which no factory is allowed for here.
      async sendTransaction() {
        throw new Error("this facilitator deploys nothing");
      },
      async waitForTransactionReceipt() {
        throw new Error("sent by the queue");
      },
    });
    const facilitator = new x402Facilitator();
    for (const scheme of schemes) {
      facilitator.register(
        network,
        scheme === "exact"
          ? new ExactEvmScheme(signer, { simulateInSettle: true })
          : new UptoEvmScheme(signer),
      );
    }
    return { facilitator, failure: () => failure, call: () => call };
  };

  /** What the library stumbles over is malformed; what failed on the way is no verdict. */
  const ask = async <Answer>(
    operation: (facilitator: x402Facilitator) => Promise<Answer>,
    isGood: (answer: Answer) => boolean,
  ): Promise<{ answer: Answer; call: PaymentCall | undefined }> => {
    const { call, facilitator, failure } = forOneRequest();
    let answer: Answer;
    try {
      answer = await operation(facilitator);
    } catch (error) {
      if (failure() !== undefined || isTransportFailure(error))
        throw unavailable(failure() ?? error);
      logger.warn({ error: describeError(error) }, "a payment cannot be read");
      throw new BadSubmissionError("paymentPayload", "cannot be read as a payment", error);
    }
    if (failure() !== undefined && call() === undefined && !isGood(answer)) {
      throw unavailable(failure());
    }
    return { answer, call: call() };
  };

  const { kinds } = forOneRequest().facilitator.getSupported() as SupportedResponse;
  return {
    supported: { kinds, extensions: [], signers: { "eip155:*": [account] } },
    async verify({ payload, requirements }) {
      const { answer } = await ask(
        (facilitator) => facilitator.verify(payload, requirements),
        ({ isValid }) => isValid,
      );
      return answer;
    },
    async findCall({ payload, requirements }) {
      const { answer, call } = await ask(
        (facilitator) => facilitator.settle(payload, requirements),
        ({ success }) => success,
      );
      return call === undefined ? { answer } : { call };
    },
  };
}
