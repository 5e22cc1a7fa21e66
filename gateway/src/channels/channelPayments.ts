import { channelAccount } from "@haca/protocol/pageOpening";
import type { PaymentRequirements } from "@x402/core/types";
import type { Logger } from "pino";
import { type Repeat, repeatOf } from "../answers/answerFile.ts";
import { QueueError, RefusedRequestError, SealedRefusalError } from "../gatewayError.ts";
import { sentSealed } from "../ohttp/sealedForms.ts";
import { Facilitator } from "../payments/facilitator.ts";
import { paidParts } from "../payments/paidParts.ts";
import { decode, requestBytes, saltedBy, sameOf, withoutSalt } from "../payments/paidRequest.ts";
import { type PaidParameters, type Payable, plainPayable } from "../payments/payable.ts";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import { priceFor, tokenPriceOf } from "../payments/prices.ts";
import { type Quote, Quotes } from "../payments/quote.ts";
import { amountNow, quoteEnd } from "../payments/quoting.ts";
import { type Rates, ratesOf } from "../payments/rate.ts";
import { withHeaders } from "../payments/refusals.ts";
import { priceOfAnswer } from "../payments/tokenPrice.ts";
import type { Charge } from "../profile/signAnswer.ts";
import { type AnswerParameters, answerRequest } from "../server/answerRequest.ts";
import { ChannelDeposits } from "./channelDeposits.ts";
import {
  ChannelLedger,
  type ChannelRecord,
  movedOn,
  type SumProblem,
  sumProblem,
  takenFrom,
  withRequest,
} from "./channelLedger.ts";
import { type Running, requireWithinChannelLimits } from "./channelLimits.ts";
import { misfitOf } from "./channelMisfit.ts";
import { CHANNEL_SCHEME, channelHeaders, channelOffer, channelRefusal } from "./channelOffer.ts";
import { type ChannelPayload, type DepositMethod, readChannelPayload } from "./channelPayload.ts";
import { ChannelRefunds } from "./channelRefunds.ts";
import {
  busyChannel,
  type ChannelRefusalCode,
  malformedChannel,
  notServed,
} from "./channelRefusals.ts";
import type { ChannelSettings } from "./channelSettings.ts";
import { ChannelSource, type ChannelState } from "./channelSource.ts";
import { gateProblem } from "./gateProblem.ts";

/** In the order of the offers: those by EIP-3009 need no approval. */
const DEPOSIT_METHODS: readonly DepositMethod[] = ["eip3009", "permit2"];

/** A request that comes with a voucher, of a key that the channel names. */
type Asked = ChannelPayload & {
  quote: Quote;
  /** the most that it costs, for which the voucher is */
  most: bigint;
  /** what was charged of the channel before, as the client has it */
  base: bigint;
  request: Payable & { repeat: Repeat };
  url: string;
};

/** The one request of a channel that is being answered. */
type Turn = {
  /** as it is without this request */
  before: ChannelRecord;
  voucher: { amount: string; signature: string };
  state: ChannelState;
  /** of the deposit; empty where there was none */
  transaction: string;
  /** what its client is told that it costs, of a stream the most; undefined: nothing yet, and nothing was noted */
  told: bigint | undefined;
  /** whether its head is with the client, and says what it costs */
  isTold: boolean;
};

/**
 * Answers what is paid for by vouchers of a payment channel, x402's scheme `batch-settlement`. What an answer costs is noted on
 * disk, with the voucher, before anybody sees the answer. The worker claims no more than the prices of results that were settled,
 * so that what was noted for an answer that nobody got costs the payer nothing.
 */
export class ChannelPayments {
  readonly #settings: PaymentSettings;
  readonly #channel: ChannelSettings;
  readonly #ledger: ChannelLedger;
  readonly #deposits: ChannelDeposits;
  readonly #source: ChannelSource;
  readonly #refunds: ChannelRefunds;
  readonly #quotes = new Quotes();
  readonly #rates: Rates | undefined;
  readonly #logger: Logger;
  /** requests under way, by the ids of their channels */
  readonly #busy = new Map<string, Running>();

  private constructor(parameters: {
    settings: PaymentSettings;
    channel: ChannelSettings;
    ledger: ChannelLedger;
    queue: { url: string; secret: string | undefined };
    logger: Logger;
  }) {
    const { channel, ledger, logger, queue, settings } = parameters;
    this.#settings = settings;
    this.#channel = channel;
    this.#ledger = ledger;
    this.#logger = logger;
    this.#source = new ChannelSource(settings.facilitator);
    this.#deposits = new ChannelDeposits({
      ...{ facilitator: new Facilitator(settings), source: this.#source },
      ...{ minDeposit: channel.minDeposit, logger },
    });
    this.#refunds = new ChannelRefunds({
      ...{ settings, channel, ledger, queue, source: this.#source, busy: this.#busy },
    });
    this.#rates = ratesOf(settings.prices.rate, logger);
  }

  /** @throws StartError where the ledger cannot be used */
  static async open(parameters: {
    settings: PaymentSettings;
    channel: ChannelSettings;
    folder: string;
    /** the worker that takes the results, and gives back */
    queue: { url: string; secret: string | undefined };
    logger: Logger;
  }): Promise<ChannelPayments> {
    const ledger = await ChannelLedger.open(parameters.folder);
    return new ChannelPayments({ ...parameters, ledger });
  }

  /** Who asks for what is left of a channel is answered here; undefined: nothing is given back. */
  get refunds(): ChannelRefunds | undefined {
    return this.#channel.minRefund === undefined ? undefined : this.#refunds;
  }

  async close(): Promise<void> {
    await this.#ledger.close();
  }

  /** Answers a request, if it costs nothing or is paid. @throws RefusedRequestError 402 with the offer where it is not */
  async answer(parameters: AnswerParameters): Promise<Response> {
    if (priceFor(this.#settings.prices, parameters.request) === undefined) {
      return await answerRequest(parameters);
    }
    return await this.answerPaid(plainPayable(parameters));
  }

  /** Answers what costs something, if it is paid. @throws as `answer` */
  async answerPaid(parameters: PaidParameters): Promise<Response> {
    const { c, request } = parameters;
    const header = c.req.header("payment-signature");
    const { url } = c.req;
    if (header === undefined) throw await this.#refuse({ request, url }, "payment.required");
    return await this.#answerPaid({
      ...parameters,
      asked: await this.#read({ header, request, url }),
    });
  }

  /** What a voucher is for. @throws RefusedRequestError where it is for nothing, or for something else */
  async #read(given: { header: string; request: Payable; url: string }): Promise<Asked> {
    const { header, url } = given;
    const payload = decode(header);
    const read = readChannelPayload(payload?.payload, this.#settings.chainId);
    if (payload?.accepted?.scheme !== CHANNEL_SCHEME || read === undefined)
      throw malformedChannel();
    const extra = payload.accepted.extra as { haca?: { salt?: unknown } } | undefined;
    const request = saltedBy(given.request, extra?.haca?.salt);
    const refuse = (code: ChannelRefusalCode) => this.#refuse(given, code);
    const code = misfitOf(read, { settings: this.#settings, channel: this.#channel });
    if (code !== undefined) throw await refuse(code);
    const quote = this.#quotes.read(extra?.haca, Math.floor(Date.now() / 1_000));
    if (quote === undefined) throw await refuse("payment.quoteUnknown");
    if (quote.requestHash !== request.inputHash || quote.path !== request.path) {
      throw await refuse("payment.otherRequest");
    }
    const most = BigInt(quote.amount);
    const { maxClaimableAmount, signature } = read.voucher;
    const base = maxClaimableAmount - most;
    // The salt of a quote is another each time that a client asks again by itself.
    const { isSalted, salt } = given.request;
    const repeat = repeatOf({
      key: `x402 ${read.channelId} ${maxClaimableAmount} ${signature} ${sameOf(given.request)}`,
      request: requestBytes(given.request, isSalted ? salt : ""),
    });
    return { ...read, quote, most, base, request: { ...request, repeat }, url };
  }

  async #answerPaid(parameters: PaidParameters & { asked: Asked }): Promise<Response> {
    const { asked, make, parts } = parameters;
    const { channelId, most, request, voucher } = asked;
    const perToken = tokenPriceOf(priceFor(this.#settings.prices, request));
    const held: { turn?: Turn } = {};
    const charge: Charge = {
      requester: channelAccount(channelId),
      priceOf: (answer) => priceOfAnswer({ answer, most, perToken }),
      voucher: {
        channel: { ...voucher.channel, withdrawDelay: Number(voucher.channel.withdrawDelay) },
        maxClaimableAmount: String(voucher.maxClaimableAmount),
        signature: voucher.signature,
      },
    };
    const paid = paidParts({
      ...{ parts, charge },
      begin: async () => {
        held.turn = await this.#begin(asked);
        // A stream's head says what it costs before there is an answer.
        if (request.isStream) await this.#note(held.turn, { charged: most, told: most });
      },
      onBegin: () => undefined,
      onSigned: async ({ message }) => {
        const charged = BigInt(message.price);
        await this.#note(held.turn, { charged, told: request.isStream ? most : charged });
      },
      onAnswered: async () => undefined,
      onEnd: (error) => void this.#end(held.turn, error),
    });
    try {
      const { inputHash, repeat, salt } = request;
      const isNoted = () => held.turn !== undefined;
      const response = await make({ parts: paid, fields: { inputHash, repeat, salt }, isNoted });
      if (held.turn !== undefined) held.turn.isTold = true;
      return await this.#told(asked, response, held.turn);
    } catch (error) {
      const { turn } = held;
      if (error instanceof SealedRefusalError) {
        return withHeaders(sentSealed(error.answer), this.#headersOf({ asked, turn, charged: 0n }));
      }
      if (turn === undefined || !(error instanceof RefusedRequestError)) throw error;
      // Nothing was charged, but a deposit may have been made.
      const headers = this.#headersOf({ asked, turn, charged: 0n });
      const { code, field, message, retryAfter, status } = error;
      const refusal = { status, code, message, retryAfter, headers, cause: error };
      throw new RefusedRequestError({ ...refusal, ...(field === null ? {} : { field }) });
    }
  }

  /** Gives a request its channel's turn, once all is as it must be, with what it deposits. @throws RefusedRequestError */
  async #begin(asked: Asked): Promise<Turn> {
    const { channelId, most, voucher } = asked;
    if (this.#busy.has(channelId)) throw busyChannel();
    const record = this.#ledger.find(channelId);
    // Whoever has no voucher for the next sum takes no turn: old ones are everybody's.
    if (record !== undefined) {
      const code = sumProblem(record, asked);
      if (code !== undefined) throw await this.#refuseSum(asked, record, code);
    }
    const signer = voucher.channel.payerAuthorizer;
    requireWithinChannelLimits({
      ...{ records: this.#ledger.of(signer), settings: this.#settings.limits },
      ...{ running: this.#busy.values(), asked: { signer, most } },
    });
    this.#busy.set(channelId, { signer, most });
    try {
      return await this.#admit(asked, record);
    } catch (error) {
      this.#busy.delete(channelId);
      throw error;
    }
  }

  /** What a client is told whose voucher is for another sum, or for a used one. */
  async #refuseSum(asked: Asked, before: ChannelRecord, code: SumProblem): Promise<Error> {
    // Whoever goes on from what is told now must not come by a used one.
    const record = movedOn(before, asked.most);
    if (record.charged !== before.charged) await this.#ledger.note(record);
    const state = await this.#source.channel(asked.channelId, false);
    return await this.#refuse(asked, code, { known: { record, state } });
  }

  async #admit(asked: Asked, known: ChannelRecord | undefined): Promise<Turn> {
    const { base, channelId, deposit, voucher } = asked;
    const record = known && (await this.#refunds.over(known, voucher.channel));
    const { maxClaimableAmount: sum } = voucher;
    const { payerAuthorizer: payer } = voucher.channel;
    const isDeposit = deposit !== undefined;
    const isKnown = record !== undefined && record.voucher !== null;
    let state = await this.#source.channel(channelId, !isKnown || isDeposit);
    if (sum > state.balance && !isDeposit) {
      state = await this.#source.channel(channelId, true);
    }
    // Of a channel that this gateway does not know the client knows what was charged; it can claim to owe more, and not less.
    if (!isKnown && base < state.totalClaimed) {
      throw await this.#refuse(asked, "channel.belowClaimed");
    }
    if (state.withdrawRequestedAt !== 0) throw await this.#refuse(asked, "channel.withdrawing");
    if (sum > state.balance + (deposit?.amount ?? 0n)) {
      throw await this.#refuse(asked, "channel.tooLittle");
    }
    let transaction = "";
    if (isDeposit) {
      const accepted = withoutSalt(this.#offerOf(asked.quote, deposit.method));
      const brought = await this.#deposits.bring(asked, accepted);
      if ("code" in brought) throw await this.#refuse(asked, brought.code, brought);
      ({ state, transaction } = brought);
    }
    const before: ChannelRecord = isKnown
      ? takenFrom(record, base)
      : {
          ...{ id: channelId, payer, charged: String(base), ahead: "0", voucher: null, used: [] },
          ...{ refund: null, lastRefund: 0, hours: record?.hours ?? [] },
        };
    const by = { amount: String(sum), signature: voucher.signature };
    return { before, voucher: by, state, transaction, told: undefined, isTold: false };
  }

  /** Notes what an answer costs. @throws RefusedRequestError: without a note there is no answer */
  async #note(turn: Turn | undefined, costs: { charged: bigint; told: bigint }): Promise<void> {
    if (turn === undefined) throw new Error("nothing is charged out of turn");
    const { before, voucher } = turn;
    try {
      await this.#ledger.note(withRequest(before, { ...costs, isFailed: false, voucher }));
      turn.told = costs.told;
      const running = this.#busy.get(before.id);
      if (running !== undefined) running.most = 0n;
    } catch (error) {
      await this.#ledger.put(before).catch(() => undefined);
      throw error;
    }
  }

  /** The request has its answer, or none: then nothing is charged, unless the client was told so. */
  async #end(turn: Turn | undefined, error: Error | undefined): Promise<void> {
    if (turn === undefined) return;
    this.#busy.delete(turn.before.id);
    if (error === undefined || isAnswerKept(error)) return;
    const told = turn.isTold ? (turn.told ?? 0n) : 0n;
    const { before, voucher } = turn;
    // A relay's client would use up what the relay may fail.
    const isFailed = !(error instanceof SealedRefusalError && error.isOfRequest);
    const failed = withRequest(before, { charged: 0n, told, isFailed, voucher });
    // At once for the channel's next request, though not on disk yet.
    await this.#ledger.put(failed).catch((failure: unknown) => {
      this.#logger.error({ err: failure }, "a channel's failed request is not noted");
    });
  }

  /** The answer with what it has cost, also where it is shown again. */
  async #told(asked: Asked, response: Response, turn: Turn | undefined): Promise<Response> {
    const { isStream } = asked.request;
    const text = turn === undefined && !isStream ? await response.text() : undefined;
    const charged = turn?.told ?? (text === undefined ? asked.most : priceIn(text));
    const shown = text === undefined ? response : new Response(text, response);
    return withHeaders(shown, this.#headersOf({ asked, turn, charged }));
  }

  #headersOf(parameters: { asked: Asked; turn: Turn | undefined; charged: bigint }) {
    const { asked, charged, turn } = parameters;
    const { base, channelId, voucher } = asked;
    return channelHeaders({
      ...{ network: this.#settings.network, payer: voucher.channel.payer, channelId },
      ...{ state: turn?.state, transaction: turn?.transaction ?? "" },
      ...{ charged, chargedInAll: base + charged },
    });
  }

  /** The offer for a request, as the refusal that has it. */
  async #refuse(
    given: { request: Payable; url: string },
    code: ChannelRefusalCode,
    more: {
      known?: { record: ChannelRecord; state: ChannelState };
      reason?: string | undefined;
    } = {},
  ): Promise<RefusedRequestError> {
    const { depositMethods, quote } = await this.#quoteFor(given.request);
    const offers = DEPOSIT_METHODS.filter((it) => depositMethods.includes(it)).map((method) =>
      this.#offerOf(quote, method),
    );
    return channelRefusal({ code, offers, url: given.url, ...more });
  }

  #offerOf = (quote: Quote, method: DepositMethod): PaymentRequirements =>
    channelOffer({ settings: this.#settings, channel: this.#channel, quote, method });

  /** @throws RefusedRequestError 503 where there is no price now, or nobody who could be paid by the gate */
  async #quoteFor(request: Payable): Promise<{ quote: Quote; depositMethods: readonly string[] }> {
    const { kinds, node, payee, prices, token } = this.#settings;
    const gate = await this.#source.gate(this.#channel.gate);
    const problem = gateProblem({ settings: this.#settings, channel: this.#channel, gate });
    if (gate === undefined || problem !== undefined) {
      this.#logger.error({ problem }, "channels are not offered");
      throw notServed();
    }
    const price = priceFor(prices, request);
    const { decimals } = token;
    const { amount, rate } = await amountNow({ price, rates: this.#rates, decimals });
    const quote = this.#quotes.sign({
      ...{ path: request.path, amount: String(amount), token: token.address, node, payee, kinds },
      ...{ requestHash: request.inputHash, feeBps: gate.feeBps, captureWindow: 0 },
      ...{ expiresAt: quoteEnd(), rate: rate === undefined ? null : String(rate.usd) },
      ...{ rateAt: rate?.at ?? null, salt: request.isSalted ? null : request.salt },
    });
    return { quote, depositMethods: gate.depositMethods };
  }
}

/** Whether there is an answer all the same, whose result waits for the worker. */
const isAnswerKept = (error: Error): boolean =>
  error instanceof QueueError && ["queue.away", "queue.unusable"].includes(error.code);

/** Of an answer as it was shown: in the profile `legacy` the result is a field of it. */
function priceIn(answer: string): bigint {
  const { haca } = JSON.parse(answer);
  return BigInt((haca.result ?? haca).message.price);
}
