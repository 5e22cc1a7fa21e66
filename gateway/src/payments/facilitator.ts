import { setTimeout as pause } from "node:timers/promises";
import type { PaymentPayload, PaymentRequirements, SettleResponse } from "@x402/core/types";
import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";
import type { PaymentSettings } from "./paymentSettings.ts";

/** Age of what is known of it, above which it is asked again before an offer is made. */
const FRESH_MS = 30_000;
const ASK_MS = 10_000;
/** One exchange: a facilitator waits for the chain before it answers. */
const EXCHANGE_MS = 95_000;
const PAUSE_MS = 250;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;

const supportedSchema = z.looseObject({
  kinds: z.array(
    z.looseObject({
      ...{ scheme: z.string(), network: z.string() },
      extra: z
        .looseObject({
          haca: z.looseObject({ escrow: z.string(), feeBps: z.int().min(0) }).optional(),
        })
        .optional(),
    }),
  ),
});
const settledSchema = z.looseObject({
  success: z.boolean(),
  transaction: z.string().default(""),
  payer: z.string().optional(),
  errorReason: z.string().optional(),
  errorMessage: z.string().optional(),
});

const operatorSchema = z.looseObject({
  ...{ node: z.string(), payee: z.string(), token: z.string(), kinds: z.int().min(0) },
  ...{ commerce: z.string(), leastWindow: z.int().min(0), mostWindow: z.int().min(0) },
  /** whether it opens jobs of it; if not, it says nothing of the token */
  isServed: z.boolean(),
  ...{ decimals: z.int().min(0).nullable(), domainSeparator: z.string().nullable() },
});

/** What a facilitator takes for this network: transfers, and openings of jobs of an escrow, at its fee of now. */
export type Supported = { exact: boolean; escrow: { address: string; feeBps: number } | undefined };
/** What an operator of commerce payments is for, and which bounds its deadlines have now, in seconds. */
export type Operator = z.output<typeof operatorSchema>;

/** A value that is read again where it is not of a moment ago. */
class Fresh<Value> {
  #known: { at: number; value: Promise<Value> } | undefined;

  async get(read: () => Promise<Value>): Promise<Value> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.at > FRESH_MS) {
      const value = read();
      this.#known = { at: now, value };
      value.catch(() => {
        this.#known = undefined;
      });
    }
    return await this.#known.value;
  }
}

/**
 * Whoever brings payments to the chain, and pays the gas: the worker's role `facilitate`. A payment that it was given is on its
 * disk, and brought once, however often it is asked.
 */
export class Facilitator {
  readonly #url: string;
  readonly #network: string;
  readonly #withinMs: number;
  readonly #supported = new Fresh<Supported>();
  /** by their addresses, which the settings name */
  readonly #operators = new Map<string, Fresh<Operator | undefined>>();

  constructor(settings: Pick<PaymentSettings, "facilitator" | "network" | "settleMs">) {
    this.#url = settings.facilitator;
    this.#network = settings.network;
    this.#withinMs = settings.settleMs;
  }

  /** What it takes now. @throws RefusedRequestError 503 while it is away: nobody is asked for money then */
  async supported(): Promise<Supported> {
    return await this.#supported.get(() => this.#readSupported());
  }

  /** An operator that the settings name; undefined where none is there. @throws as `supported` */
  async operator(address: string): Promise<Operator | undefined> {
    const known = this.#operators.get(address) ?? new Fresh();
    this.#operators.set(address, known);
    return await known.get(() => this.#ask(`operators/${address}`, operatorSchema));
  }

  /**
   * Has a payment brought to the chain, and returns what became of it. One that was brought for somebody else counts, and is
   * told as made before: this gateway grants each nonce once, whoever was told of it. For one that is being settled for
   * somebody else nobody waits here.
   * @throws RefusedRequestError 503 where that is not known in time
   */
  async settle(
    paymentPayload: PaymentPayload,
    paymentRequirements: PaymentRequirements,
  ): Promise<SettleResponse & { wasMade?: boolean }> {
    const body = JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements });
    const deadline = performance.now() + this.#withinMs;
    const network = paymentRequirements.network;
    let wasCutOff = false;
    while (performance.now() < deadline) {
      const answer = await this.#settleOnce(body);
      if (answer === undefined) wasCutOff = true;
      else {
        const { errorReason, success, transaction } = answer;
        const isDuplicate = errorReason === "duplicate_settlement";
        const wasMade = isDuplicate && transaction !== "";
        if (success || wasMade) {
          const { amount } = paymentRequirements;
          return { success: true, transaction, network, amount, wasMade, ...payerOf(answer) };
        }
        // Unless it is this gateway's own, whose answer was cut off.
        if (isDuplicate && !wasCutOff) throw pending();
        if (errorReason !== "settlement_pending" && !isDuplicate) {
          return { ...answer, network } as SettleResponse;
        }
      }
      await pause(PAUSE_MS);
    }
    throw pending();
  }

  /** Undefined where it says nothing that decides: ask again. */
  async #settleOnce(body: string): Promise<z.output<typeof settledSchema> | undefined> {
    try {
      const response = await fetch(`${this.#url}/settle`, {
        ...{ method: "POST", headers: { "content-type": "application/json" }, body },
        ...{ redirect: "error", signal: AbortSignal.timeout(EXCHANGE_MS) },
      });
      if (response.status === BAD_REQUEST) {
        await response.body?.cancel();
        return { success: false, transaction: "", errorReason: "invalid_payload" };
      }
      if (!response.ok) {
        await response.body?.cancel();
        return undefined;
      }
      return settledSchema.parse(await response.json());
    } catch {
      return undefined;
    }
  }

  async #readSupported(): Promise<Supported> {
    const { kinds } = (await this.#ask("supported", supportedSchema)) ?? { kinds: [] };
    const here = kinds.filter(({ network }) => network === this.#network);
    const escrow = here.find(({ scheme }) => scheme === "upto")?.extra?.haca;
    return {
      exact: here.some(({ scheme }) => scheme === "exact"),
      escrow: escrow && { address: escrow.escrow, feeBps: escrow.feeBps },
    };
  }

  /** Undefined where there is nothing. */
  async #ask<Value>(path: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
    try {
      const response = await fetch(`${this.#url}/${path}`, {
        ...{ redirect: "error", signal: AbortSignal.timeout(ASK_MS) },
      });
      const body: unknown = await response.json();
      return response.status === NOT_FOUND ? undefined : schema.parse(body);
    } catch (cause) {
      throw new RefusedRequestError({
        status: 503,
        code: "payment.facilitatorAway",
        message: "payments cannot be taken now: the facilitator does not answer",
        retryAfter: 5,
        cause,
      });
    }
  }
}

const payerOf = ({ payer }: { payer?: string | undefined }) =>
  payer === undefined ? {} : { payer };

const pending = (): RefusedRequestError =>
  new RefusedRequestError({
    status: 503,
    code: "payment.pending",
    message: "the payment is not decided yet: send the same request with the same payment again",
    retryAfter: 5,
  });
