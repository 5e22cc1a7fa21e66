import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";

/** Age of what is known of a gate or a channel, above which it is asked for again. */
const FRESH_MS = 30_000;
const ASK_MS = 10_000;
/** How long nothing is asked of a facilitator that has not answered. */
const AWAY_MS = 1_000;
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
  /** by which its facilitator brings deposits */
  depositMethods: z.array(z.string()).default(["eip3009"]),
});

/** How a channel stands on the chain: smallest units, and unix seconds, 0 where no withdrawal is asked for. */
export type ChannelState = z.output<typeof channelSchema>;
/** What a gate is for, and the least delay of withdrawals that channels to it should have. */
export type Gate = z.output<typeof gateSchema>;

/** When it was asked for, and what came or will. */
type Known<Value> = { at: number; value: Promise<Value> };

/**
 * What the chain says of gates and channels, by the facilitator: a gateway has no endpoint of its own. Those who ask for the same
 * at the same time are told by one answer.
 */
export class ChannelSource {
  readonly #url: string;
  readonly #channels = new Map<string, Known<ChannelState>>();
  #gate: Known<Gate | undefined> | undefined;
  #awayUntil = 0;

  /** @param url of the facilitator, without a slash at the end */
  constructor(url: string) {
    this.#url = url;
  }

  /** The gate at the address that the settings have; undefined where none is. @throws RefusedRequestError 503 */
  async gate(address: string): Promise<Gate | undefined> {
    if (isFresh(this.#gate)) return await this.#gate.value;
    const gate = known(this.#ask(`gates/${address}`, gateSchema));
    this.#gate = gate;
    gate.value.catch(() => {
      if (this.#gate === gate) this.#gate = undefined;
    });
    return await gate.value;
  }

  /**
   * How a channel stands; as of the latest block, or of a short while ago. A withdrawal of which nobody heard for that long takes
   * longer by far.
   * @throws RefusedRequestError 503
   */
  async channel(id: string, isLatest: boolean): Promise<ChannelState> {
    const before = this.#channels.get(id);
    if (!isLatest && isFresh(before)) return await before.value;
    const channel = known(this.#askChannel(id));
    this.#channels.delete(id);
    this.#channels.set(id, channel);
    const [oldest] = this.#channels.keys();
    if (this.#channels.size > MAXIMUM_KNOWN) this.#channels.delete(oldest ?? "");
    channel.value.catch(() => {
      if (this.#channels.get(id) === channel) this.#channels.delete(id);
    });
    return await channel.value;
  }

  /** It is not as it was: whoever asks next is told of the latest block. */
  forget(id: string): void {
    this.#channels.delete(id);
  }

  async #askChannel(id: string): Promise<ChannelState> {
    const channel = await this.#ask(`channels/${id}`, channelSchema);
    if (channel === undefined) throw noChannels();
    return channel;
  }

  /** Undefined where there is nothing. */
  async #ask<Value>(path: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
    if (performance.now() < this.#awayUntil) throw away();
    try {
      const response = await fetch(`${this.#url}/${path}`, {
        ...{ redirect: "error", signal: AbortSignal.timeout(ASK_MS) },
      });
      const body: unknown = await response.json();
      return response.status === NOT_FOUND ? undefined : schema.parse(body);
    } catch (cause) {
      this.#awayUntil = performance.now() + AWAY_MS;
      throw away(cause);
    }
  }
}

const known = <Value>(value: Promise<Value>): Known<Value> => ({ at: performance.now(), value });

const isFresh = <Value>(of: Known<Value> | undefined): of is Known<Value> =>
  of !== undefined && performance.now() - of.at <= FRESH_MS;

const away = (cause?: unknown): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.facilitatorAway", retryAfter: 5, cause },
    message: "payments cannot be taken now: the facilitator does not answer",
  });

const noChannels = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.notTaken", retryAfter: 60 },
    message: "payments cannot be taken now: the facilitator takes no deposits into channels",
  });
