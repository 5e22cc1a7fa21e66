import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";

/** Age of what is known of a gate or a channel, above which it is asked for again. */
const FRESH_MS = 30_000;
const ASK_MS = 10_000;
const MAXIMUM_KNOWN = 10_000;
const NOT_FOUND = 404;

const amount = z
  .string()
  .regex(/^\d{1,39}$/)
  .transform(BigInt);
const channelSchema = z.looseObject({
  ...{ balance: amount, totalClaimed: amount, withdrawRequestedAt: z.int().min(0) },
});
const gateSchema = z.looseObject({
  ...{ node: z.string(), payee: z.string(), feeBps: z.int().min(0), kinds: z.int().min(0) },
  leastWithdrawDelay: z.int().min(0),
});

/** How a channel stands on the chain: smallest units, and unix seconds, 0 where no withdrawal is asked for. */
export type ChannelState = z.output<typeof channelSchema>;
/** What a gate is for, and the least delay of withdrawals that channels to it should have. */
export type Gate = z.output<typeof gateSchema>;

type Known<Value> = { at: number; value: Value };

/** What the chain says of gates and channels, by the facilitator: a gateway has no endpoint of its own. */
export class ChannelSource {
  readonly #url: string;
  readonly #channels = new Map<string, Known<ChannelState>>();
  #gate: Known<Gate | undefined> | undefined;

  /** @param url of the facilitator, without a slash at the end */
  constructor(url: string) {
    this.#url = url;
  }

  /** The gate at the address that the settings have; undefined where none is. @throws RefusedRequestError 503 */
  async gate(address: string): Promise<Gate | undefined> {
    const now = performance.now();
    if (this.#gate === undefined || now - this.#gate.at > FRESH_MS) {
      this.#gate = { at: now, value: await this.#ask(`gates/${address}`, gateSchema) };
    }
    return this.#gate.value;
  }

  /**
   * How a channel stands; as of the latest block, or of a short while ago. A withdrawal of which nobody heard for that long takes
   * longer by far.
   * @throws RefusedRequestError 503
   */
  async channel(id: string, isLatest: boolean): Promise<ChannelState> {
    const now = performance.now();
    const known = this.#channels.get(id);
    if (!isLatest && known !== undefined && now - known.at <= FRESH_MS) return known.value;
    const value = await this.#ask(`channels/${id}`, channelSchema);
    if (value === undefined) throw noChannels();
    this.#channels.delete(id);
    this.#channels.set(id, { at: now, value });
    const [oldest] = this.#channels.keys();
    if (this.#channels.size > MAXIMUM_KNOWN) this.#channels.delete(oldest ?? "");
    return value;
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
        ...{ status: 503, code: "payment.facilitatorAway", retryAfter: 5, cause },
        message: "payments cannot be taken now: the facilitator does not answer",
      });
    }
  }
}

const noChannels = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.notTaken", retryAfter: 60 },
    message: "payments cannot be taken now: the facilitator takes no deposits into channels",
  });
