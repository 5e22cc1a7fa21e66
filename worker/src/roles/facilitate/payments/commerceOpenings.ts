import { COMMERCE_SCHEME, commerceDeploymentAt } from "@haca/protocol/commerceEscrows";
import { readCommerceJob, readCommercePayload } from "@haca/protocol/commercePayload";
import {
  type CommerceJob,
  OPERATOR_STATUSES,
  type OperatorTerms,
  requestOfEnds,
} from "@haca/protocol/commercePayments";
import { isSameHex } from "@haca/protocol/isSameHex";
import {
  operatorInterface,
  operatorsInterface,
  operatorTermsIn,
} from "@haca/protocol/operatorCalls";
import type { PaymentRequirements } from "@x402/core/types";
import { getAddress } from "ethers";
import type { PublicClient } from "viem";
import { z } from "zod";
import type { Opening } from "./openings.ts";
import type { PaymentRequest } from "./paymentRequest.ts";
import { readToken, type TokenState } from "./readToken.ts";
import { ViewCaller } from "./viewCaller.ts";

/** As `PaidKinds` bounds the time to a deadline. */
const MOST_WINDOW = 30 * 86_400;
/**
 * How far ahead the end of a signature may be, in seconds: gateways take it for 10 minutes at most. Until it comes a payment
 * whose authorization is used up is not decided, and stands before others.
 */
const MOST_AHEAD = 15 * 60;
/** What a signature ends with that has a wallet deployed, or anything else called, before it is looked at (ERC-6492). */
const CALLING_SIGNATURE = "6492".repeat(16);

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
const time = z
  .int()
  .min(0)
  .max(2 ** 48 - 1);
const bps = z.int().min(0).max(10_000);
const extraSchema = z.looseObject({
  ...{ captureAuthorizer: address, authCaptureEscrow: address, feeRecipient: address },
  ...{ receiverAuthorizer: address, policy: address },
  ...{ captureDeadline: time, refundDeadline: time, minFeeBps: bps, maxFeeBps: bps },
  paymentFlow: z.literal("escrow", "must be escrow: nothing is charged before there is a result"),
});

type Refusal = { reason: string; message: string };
type Read = { job: CommerceJob; escrow: string; collector: string; signature: string } | Refusal;

/** An operator of this deployment, and which bounds its deadlines have now, in seconds. */
export type OperatorState = TokenState & {
  operator: string;
  node: string;
  payee: string;
  token: string;
  feeBps: number;
  kinds: number;
  /** the public escrow */
  commerce: string;
  leastWindow: number;
  mostWindow: number;
  /** whether jobs of it are opened here: payee and token are among those that are served. If not, nothing is asked of the token */
  isServed: boolean;
};

/** Payments into the public escrow, which open a job of one of this deployment's operators. */
export class CommerceOpenings {
  /** address of CommerceOperators */
  readonly operators: string;
  readonly #chainId: bigint;
  readonly #caller: ViewCaller;
  readonly #receivers: readonly string[];
  readonly #tokens: readonly string[];
  /** terms and escrow of operators, which never change, by their addresses */
  readonly #known = new Map<string, { terms: OperatorTerms; commerce: string }>();

  constructor(parameters: {
    operators: string;
    chainId: number;
    client: PublicClient;
    /** that pays the gas */
    account: string;
    /** payees of the operators whose jobs are opened */
    receivers: readonly string[];
    /** tokens in which they are paid: anybody can make an operator, in a token of their own */
    tokens: readonly string[];
  }) {
    this.operators = parameters.operators;
    this.#chainId = BigInt(parameters.chainId);
    this.#caller = new ViewCaller(parameters);
    this.#receivers = parameters.receivers.map((receiver) => receiver.toLowerCase());
    this.#tokens = parameters.tokens.map((token) => token.toLowerCase());
  }

  isOpening = ({ scheme }: PaymentRequirements): boolean => scheme === COMMERCE_SCHEME;

  /** Why no job is opened for a payment, whatever its signature is worth; undefined: it may be. @throws RetryableError */
  async refusalOf({ payload, requirements }: PaymentRequest): Promise<Refusal | undefined> {
    const read = this.#read(payload.payload, requirements);
    if ("reason" in read) return read;
    const { payment } = read.job;
    if (payment.preApprovalExpiry > BigInt(Math.floor(Date.now() / 1_000) + MOST_AHEAD)) {
      const message = `preApprovalExpiry: must be ${MOST_AHEAD} seconds ahead at most`;
      return { reason: "invalid_payload", message };
    }
    const known = await this.#operatorAt(payment.operator);
    if (known === undefined || !this.#receivers.includes(known.terms.payee.toLowerCase())) {
      const message = `extra.captureAuthorizer: this facilitator opens no jobs of ${payment.operator}`;
      return wrongOffer(message);
    }
    if (!isSameHex(known.terms.token, payment.token)) {
      return wrongOffer(`asset: must be ${known.terms.token}, which the operator is paid in`);
    }
    if (isSameHex(known.commerce, read.escrow)) return undefined;
    return wrongOffer(`extra.authCaptureEscrow: must be ${known.commerce}`);
  }

  /** What opens the job of a payment that was not refused. @throws RetryableError */
  async find({ payer, payload, requirements }: PaymentRequest): Promise<Opening> {
    const read = this.#read(payload.payload, requirements);
    if ("reason" in read) throw new Error(read.message);
    const { collector, job, signature } = read;
    const { operator: to } = job.payment;
    const data = operatorInterface.encodeFunctionData("open", [job, collector, signature]);
    const call = { to, data };
    if ((await this.#caller.call(to, data)) !== undefined) return { call, isDone: false };
    const [status] = await this.#caller.view(operatorInterface, to, "statusOf", job.payment);
    if (OPERATOR_STATUSES[Number(status)] === "Open") return { call, isDone: true };
    return {
      answer: {
        ...{ success: false, errorReason: reasonOf("transaction_failed"), payer },
        ...{ errorMessage: "the operator would not open the job", transaction: "" },
        network: requirements.network,
      },
    };
  }

  /** An operator of this deployment; undefined where the address is none. @throws RetryableError */
  async readOperator(at: string): Promise<OperatorState | undefined> {
    const known = await this.#operatorAt(at);
    if (known === undefined) return undefined;
    const { feeBps, kinds, node, payee, token } = known.terms;
    const [least] = await this.#caller.view(
      operatorsInterface,
      this.operators,
      "leastWindow",
      kinds,
    );
    const isServed =
      this.#receivers.includes(payee.toLowerCase()) && this.#tokens.includes(token.toLowerCase());
    const state = isServed ? await readToken(this.#caller, token) : UNREAD;
    return {
      ...{ operator: getAddress(at), node, payee, token, commerce: known.commerce },
      ...{ ...state, isServed },
      ...{ feeBps: Number(feeBps), kinds: Number(kinds) },
      ...{ leastWindow: Number(least), mostWindow: MOST_WINDOW },
    };
  }

  /** The job that a payment opens, and by what; or what is wrong with it. */
  #read(given: unknown, requirements: PaymentRequirements): Read {
    const parsed = extraSchema.safeParse(requirements.extra);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return wrongOffer(`extra.${issue?.path.join(".")}: ${issue?.message}`);
    }
    const extra = parsed.data;
    const deployment = commerceDeploymentAt(extra.authCaptureEscrow);
    if (deployment === undefined) {
      return wrongOffer("extra.authCaptureEscrow: is none that is published");
    }
    const requestHash = requestOfEnds(extra);
    if (requestHash === undefined) {
      return wrongOffer("extra.policy: is not the end of the hash that receiverAuthorizer begins");
    }
    const payload = readCommercePayload(given);
    if (payload === undefined) throw new Error("no payment into the public escrow");
    const { collector, signature } = payload;
    if (signature.endsWith(CALLING_SIGNATURE)) {
      return { reason: "invalid_payload", message: "signature: has other calls made (ERC-6492)" };
    }
    const { amount, asset, payTo } = requirements;
    const offer = { amount, asset, payTo, extra };
    const chainId = this.#chainId;
    const read = readCommerceJob({ payload, offer, requestHash, chainId, deployment });
    if ("wrong" in read) return { reason: "invalid_payload", message: read.wrong };
    return { job: read.job, escrow: deployment.escrow, collector, signature };
  }

  /** Anybody can write a contract that has terms: an operator's address is made of them. */
  async #operatorAt(at: string): Promise<{ terms: OperatorTerms; commerce: string } | undefined> {
    const operator = getAddress(at);
    const known = this.#known.get(operator);
    if (known !== undefined) return known;
    const terms = operatorTermsIn(
      await this.#caller.call(operator, operatorInterface.encodeFunctionData("terms")),
    );
    if (terms === undefined) return undefined;
    const [made] = await this.#caller.view(operatorsInterface, this.operators, "operatorOf", terms);
    if (made !== operator) return undefined;
    const [commerce] = await this.#caller.view(operatorInterface, operator, "COMMERCE");
    const found = { terms, commerce: String(commerce) };
    this.#known.set(operator, found);
    return found;
  }
}

const UNREAD: TokenState = { decimals: null, domainSeparator: null };

/** As the scheme's documents have them. */
const reasonOf = (what: string): string => `invalid_auth_capture_evm_${what}`;
const wrongOffer = (message: string): Refusal => ({
  ...{ reason: "invalid_payment_requirements", message },
});
