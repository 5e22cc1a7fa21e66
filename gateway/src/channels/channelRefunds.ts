import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Channel } from "@haca/protocol/channels";
import { z } from "zod";
import type { RefusedRequestError } from "../gatewayError.ts";
import { decode } from "../payments/paidRequest.ts";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import type { ChannelLedger, ChannelRecord, OrderedRefund } from "./channelLedger.ts";
import type { Running } from "./channelLimits.ts";
import { misfitOf } from "./channelMisfit.ts";
import { CHANNEL_SCHEME, channelOffer, channelRefusal, refundHeaders } from "./channelOffer.ts";
import { type RefundPayload, readRefundPayload } from "./channelPayload.ts";
import {
  busyChannel,
  type ChannelRefusalCode,
  malformedRefund,
  notServed,
  refundPending,
} from "./channelRefusals.ts";
import type { ChannelSettings } from "./channelSettings.ts";
import type { ChannelSource, ChannelState } from "./channelSource.ts";

const PAUSE_MS = 250;
const ASK_MS = 10_000;
/** For how long a client is waited for that was told a sum. */
const TOLD_MS = 60_000;
/** So many sums a stranger would have to choose from, who has some vouchers. */
const LEAST_CHOICE = 1n << 32n;
const CHOICE_BYTES = 32;

const refundSchema = z.looseObject({
  state: z.enum(["open", "sent", "mined", "done", "refused"]),
  transaction: z.string().nullable(),
  error: z.string().nullable(),
});
type Outcome = z.output<typeof refundSchema>;

/** A sum that the payer is to sign, and until when. */
type Told = { sum: bigint; until: number };

/**
 * Answers who asks for what is left of a channel, x402's requests for a refund. What was charged stays in the channel, so that it can be
 * claimed whenever its results are settled; a channel that something is given back of pays for nothing until that is known. The
 * worker sends it, once.
 *
 * Such a request has a voucher of the payer's and nothing else, and vouchers that were charged by are public from the claim on. So
 * the payer is asked for one of a sum that nobody could have guessed, between what was claimed and what was signed already: more
 * cannot be claimed by it.
 */
export class ChannelRefunds {
  readonly #settings: PaymentSettings;
  readonly #channel: ChannelSettings;
  readonly #ledger: ChannelLedger;
  readonly #source: ChannelSource;
  readonly #busy: Map<string, Running>;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #told = new Map<string, Told>();

  constructor(parameters: {
    settings: PaymentSettings;
    channel: ChannelSettings;
    ledger: ChannelLedger;
    source: ChannelSource;
    /** requests under way, by the ids of their channels */
    busy: Map<string, Running>;
    /** the worker that gives back */
    queue: { url: string; secret: string | undefined };
  }) {
    const { busy, channel, ledger, queue, settings, source } = parameters;
    this.#settings = settings;
    this.#channel = channel;
    this.#ledger = ledger;
    this.#source = source;
    this.#busy = busy;
    this.#url = `${queue.url}/v1/channels/refunds`;
    const authorization = queue.secret && { authorization: `Bearer ${queue.secret}` };
    this.#headers = { "content-type": "application/json", ...authorization };
  }

  /** @throws RefusedRequestError 402 where nothing is given back, 503 where that is not known in time */
  async answer(given: { header: string | undefined; url: string }): Promise<Response> {
    const { header, url } = given;
    if (header === undefined) throw this.#refuse(url, "payment.required");
    const payload = decode(header);
    const asked = readRefundPayload(payload?.payload, this.#settings.chainId);
    if (payload?.accepted?.scheme !== CHANNEL_SCHEME || asked === undefined) {
      throw malformedRefund();
    }
    const code = misfitOf(asked, { settings: this.#settings, channel: this.#channel });
    if (code !== undefined) throw this.#refuse(url, code);
    const { channelId, voucher } = asked;
    const record = this.#ledger.find(channelId);
    // What was charged of it by whom is not known.
    if (record === undefined || record.voucher === null) throw this.#refuse(url, "refund.unknown");
    if (record.refund !== null) return await this.#outcome(asked, record.refund, url);
    // Whoever has another voucher than the one that was asked for takes no turn: old ones are everybody's.
    this.#require(asked, { record, state: await this.#source.channel(channelId, false) }, url);
    if (this.#busy.has(channelId)) throw busyChannel();
    this.#busy.set(channelId, { signer: voucher.channel.payerAuthorizer, most: 0n });
    try {
      // It may have paid for something while its state was asked for.
      const latest = this.#ledger.find(channelId) ?? record;
      const ordered = latest.refund ?? (await this.#order(asked, latest, url));
      return await this.#outcome(asked, ordered, url);
    } finally {
      this.#busy.delete(channelId);
    }
  }

  /**
   * The record of a channel of which nothing is being given back.
   * @throws RefusedRequestError 503 where that is under way, or is not known
   */
  async over(record: ChannelRecord, channel: Channel): Promise<ChannelRecord> {
    if (record.refund === null) return record;
    const outcome = await this.#tell(channel, record.refund);
    if (!(await this.#isOver(outcome, record.id, record.refund))) throw refundPending();
    return await this.#end(record);
  }

  /** Notes what is to be given back, before anybody is told. */
  async #order(asked: RefundPayload, record: ChannelRecord, url: string): Promise<OrderedRefund> {
    const { amount, channelId } = asked;
    const state = await this.#source.channel(channelId, true);
    this.#require(asked, { record, state }, url);
    const refund = {
      // A clock that is set back makes no order an old one.
      number: Math.max(Date.now(), record.lastRefund + 1),
      ...{ balance: String(state.balance), kept: record.charged },
      most: amount === undefined ? null : String(amount),
    };
    try {
      await this.#ledger.note({ ...record, refund, lastRefund: refund.number });
    } catch (error) {
      await this.#ledger.put(record).catch(() => undefined);
      throw error;
    }
    this.#told.delete(channelId);
    return refund;
  }

  /** @throws RefusedRequestError 402: why nothing is given back, or with the sum that the payer is to sign */
  #require(
    { amount, channelId, voucher }: RefundPayload,
    known: { record: ChannelRecord; state: ChannelState },
    url: string,
  ): void {
    const { record: of, state } = known;
    if (state.withdrawRequestedAt !== 0) throw this.#refuse(url, "channel.withdrawing");
    const rest = state.balance - BigInt(of.charged);
    if (rest <= 0n) throw this.#refuse(url, "refund.nothing");
    const wanted = amount ?? rest;
    const { minRefund = 1n } = this.#channel;
    if (wanted > rest || wanted < minRefund) throw this.#refuse(url, "refund.amount");
    const now = performance.now();
    for (const [id, { until }] of this.#told) if (until < now) this.#told.delete(id);
    const told = this.#told.get(channelId)?.sum;
    if (told === voucher.maxClaimableAmount) return;
    const sum = told ?? unguessable(known.record, known.state);
    if (sum === undefined) throw this.#refuse(url, "refund.notProved");
    // It stays until then: who sends others in between keeps nobody from it.
    if (told === undefined) this.#told.set(channelId, { sum, until: now + TOLD_MS });
    const record = { ...known.record, charged: String(sum) };
    throw this.#refuse(url, "refund.otherSum", { known: { ...known, record } });
  }

  /** Waits for what becomes of it. */
  async #outcome(asked: RefundPayload, refund: OrderedRefund, url: string): Promise<Response> {
    const { channelId, voucher } = asked;
    const { network, settleMs } = this.#settings;
    const deadline = performance.now() + settleMs;
    while (performance.now() < deadline) {
      const outcome = await this.#tell(voucher.channel, refund);
      if (await this.#isOver(outcome, channelId, refund)) {
        const { error, transaction } = outcome;
        const record = this.#ledger.find(channelId);
        if (record?.refund?.number === refund.number) await this.#end(record);
        if (error !== null) throw this.#refuse(url, "refund.refused", { reason: error });
        const { payer } = voucher.channel;
        const headers = refundHeaders({ network, payer, transaction: transaction ?? "" });
        return Response.json({ channelId, transaction }, { headers });
      }
      await pause(PAUSE_MS);
    }
    throw refundPending();
  }

  /**
   * Whether the channel is what it was, or shown as what it is now: whoever reads the chain for this gateway may be behind the worker,
   * and would have it give answers for what was given back. More that somebody has deposited meanwhile looks the same, until the
   * worker is as sure as of everything that it follows.
   */
  async #isOver(
    { error, state }: Outcome,
    channelId: string,
    { balance }: OrderedRefund,
  ): Promise<boolean> {
    if (state === "open" || state === "sent") return false;
    if (error !== null || state !== "mined") {
      this.#source.forget(channelId);
      return true;
    }
    return (await this.#source.channel(channelId, true)).balance < BigInt(balance);
  }

  async #end(record: ChannelRecord): Promise<ChannelRecord> {
    const ended = { ...record, refund: null };
    await this.#ledger.note(ended);
    return ended;
  }

  /**
   * What has become of what was ordered: the worker takes the same order once. One that takes nothing from here may have taken it
   * before. @throws RefusedRequestError 503
   */
  async #tell(
    channel: Channel,
    { kept, most, number }: Pick<OrderedRefund, "kept" | "most" | "number">,
  ): Promise<Outcome> {
    const of = { ...channel, withdrawDelay: Number(channel.withdrawDelay) };
    try {
      const response = await fetch(this.#url, {
        ...{ method: "POST", headers: this.#headers, redirect: "error" },
        body: JSON.stringify({ channel: of, number, kept, most }),
        signal: AbortSignal.timeout(ASK_MS),
      });
      if (!response.ok) throw new Error(`the worker does not take it: ${response.status}`);
      return refundSchema.parse(await response.json());
    } catch (cause) {
      throw refundPending(cause);
    }
  }

  #refuse(
    url: string,
    code: ChannelRefusalCode,
    more: Pick<Parameters<typeof channelRefusal>[0], "known" | "reason"> = {},
  ): RefusedRequestError {
    const { minRefund } = this.#channel;
    if (minRefund === undefined) return notServed();
    const offer = channelOffer({
      ...{ settings: this.#settings, channel: this.#channel, quote: undefined },
    });
    return channelRefusal({ code, offers: [offer], url, ...more });
  }
}

/**
 * A sum of which no voucher was charged by, and that nobody can foresee, above what was claimed and up to what the payer has signed;
 * undefined where there are too few.
 */
function unguessable(record: ChannelRecord, { totalClaimed }: ChannelState): bigint | undefined {
  const highest = BigInt(record.voucher?.amount ?? 0);
  const choice = highest - totalClaimed;
  if (choice < LEAST_CHOICE) return undefined;
  let sum: bigint;
  do {
    sum = totalClaimed + 1n + (BigInt(`0x${randomBytes(CHOICE_BYTES).toString("hex")}`) % choice);
  } while (record.voucher?.amount === String(sum) || record.used.includes(String(sum)));
  return sum;
}
