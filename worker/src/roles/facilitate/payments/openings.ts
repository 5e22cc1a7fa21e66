import { escrowInterface } from "@haca/protocol/escrowCalls";
import { type EscrowTerms, escrowFacilitator, escrowJobId } from "@haca/protocol/inferenceEscrow";
import type { PaymentRequirements, SettleResponse } from "@x402/core/types";
import type { Hex, PublicClient } from "viem";
import { z } from "zod";
import { isTransportFailure, unavailable } from "./paymentFailures.ts";
import type { PaymentCall } from "./paymentProtocol.ts";
import type { PaymentRequest } from "./paymentRequest.ts";

const OPEN = 1n;
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const integer = z.union([z.int().min(0), z.string().regex(/^\d{1,10}$/)]).transform(BigInt);
const termsSchema = z.looseObject({
  ...{ node: address, payee: address, token: address },
  requestHash: z.string().regex(/^0x[0-9a-fA-F]{64}$/),
  ...{ feeBps: integer, kinds: integer, captureWindow: integer },
});
const permitSchema = z.looseObject({
  signature: z.string(),
  permit2Authorization: z.looseObject({
    ...{ from: z.string(), nonce: z.string(), deadline: z.string() },
    permitted: z.looseObject({ token: z.string(), amount: z.string() }),
    witness: z.looseObject({ to: z.string(), facilitator: address, validAfter: z.string() }),
  }),
});

type Refusal = { reason: string; message: string };

/** A payment that opens a job of the escrow: the call that does; `isDone` where somebody has opened it already. */
export type Opening = { call: PaymentCall; isDone: boolean } | { answer: SettleResponse };

/** Payments by permit to the escrow, which open a job: who may call is a clone that the job's terms make. */
export class Openings {
  readonly escrow: string;
  readonly #client: PublicClient;
  readonly #account: string;
  readonly #receivers: readonly string[];

  constructor(parameters: {
    escrow: string;
    client: PublicClient;
    /** that pays the gas */
    account: string;
    /** for whom jobs are opened */
    receivers: readonly string[];
  }) {
    this.escrow = parameters.escrow;
    this.#client = parameters.client;
    this.#account = parameters.account;
    this.#receivers = parameters.receivers.map((receiver) => receiver.toLowerCase());
  }

  isOpening({ payTo, scheme }: PaymentRequirements): boolean {
    return scheme === "upto" && payTo.toLowerCase() === this.escrow.toLowerCase();
  }

  /** Hundredths of a percent that jobs have to name now. @throws RetryableError */
  async fee(): Promise<number> {
    const answer = await this.#call(escrowInterface.encodeFunctionData("fee"));
    if (typeof answer !== "string") throw unavailable(answer.error);
    return Number(escrowInterface.decodeFunctionResult("fee", answer)[0]);
  }

  /** Why no job is opened for a payment, whatever the chain says; undefined: it may be. */
  refusalOf({ amount, payload, requirements }: PaymentRequest): Refusal | undefined {
    const terms = termsIn(requirements);
    const permit = permitSchema.safeParse(payload.payload);
    if (terms === undefined) {
      return { reason: "invalid_payment_requirements", message: "extra.haca: has no terms" };
    }
    if (!this.#receivers.includes(terms.payee.toLowerCase())) {
      const message = `extra.haca.payee: this facilitator opens no jobs for ${terms.payee}`;
      return { reason: "invalid_payment_requirements", message };
    }
    if (!permit.success) {
      return { reason: "invalid_payload", message: "names no facilitator" };
    }
    const { permitted, witness } = permit.data.permit2Authorization;
    const facilitator = escrowFacilitator({ escrow: this.escrow, terms });
    // With a checksum, or without.
    if (witness.facilitator.toLowerCase() !== facilitator.toLowerCase()) {
      return { reason: "upto_facilitator_mismatch", message: "is not made of these terms" };
    }
    if (BigInt(permitted.amount) !== amount) {
      return {
        reason: "invalid_upto_evm_amount_mismatch",
        message: "all that is permitted is held",
      };
    }
    return undefined;
  }

  /** What opens the job of a payment that was not refused. @throws RetryableError */
  async find({ payer, payload, nonce, requirements }: PaymentRequest): Promise<Opening> {
    const { permit2Authorization: signed, signature } = permitSchema.parse(payload.payload);
    const { deadline, from, permitted, witness } = signed;
    const payment = {
      ...{ payer: from, amount: permitted.amount, nonce, signature },
      ...{ validAfter: witness.validAfter, validUntil: deadline },
    };
    const data = escrowInterface.encodeFunctionData("open", [termsIn(requirements), payment]);
    const call = { to: this.escrow, data };
    const answer = await this.#call(data);
    if (typeof answer === "string") return { call, isDone: false };
    const jobId = escrowJobId({ payer, nonce });
    const status = await this.#call(escrowInterface.encodeFunctionData("statusOf", [jobId]));
    if (typeof status !== "string") throw unavailable(status.error);
    if (BigInt(status) === OPEN) return { call, isDone: true };
    return {
      answer: {
        ...{ success: false, errorReason: "invalid_upto_evm_transaction_failed", payer },
        ...{ errorMessage: "the escrow would not open the job", transaction: "" },
        network: requirements.network,
      },
    };
  }

  async #call(data: string): Promise<string | { error: unknown }> {
    try {
      const call = { account: this.#account as Hex, to: this.escrow as Hex, data: data as Hex };
      return (await this.#client.call(call)).data ?? "0x";
    } catch (error) {
      if (isTransportFailure(error)) throw unavailable(error);
      return { error };
    }
  }
}

function termsIn({ extra }: PaymentRequirements): EscrowTerms | undefined {
  const parsed = termsSchema.safeParse(extra.haca);
  return parsed.success ? parsed.data : undefined;
}
