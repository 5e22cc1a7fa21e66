import { commerceJobText } from "@haca/protocol/commerceJobText";
import type { Logger } from "pino";
import { RefusedRequestError, SealedRefusalError } from "../gatewayError.ts";
import { sentSealed } from "../ohttp/sealedForms.ts";
import type { Charge } from "../profile/signAnswer.ts";
import type { AnswerParameters } from "../server/answerRequest.ts";
import { answerRequest } from "../server/answerRequest.ts";
import { type Asked, answeredAs, keyOfSame, repeatFor } from "./asked.ts";
import { Facilitator } from "./facilitator.ts";
import { commerceJobOf, fitsQuote } from "./fitsQuote.ts";
import { type Grant, heldBy, isGivenBack, isUnpaid } from "./grant.ts";
import { GrantEnds, type KeptAnswers } from "./grantEnds.ts";
import { GrantLedger } from "./grantLedger.ts";
import { isNamed, namedAs, noteOf } from "./namedRequest.ts";
import { OfferedQuotes } from "./offeredQuotes.ts";
import { processPayment } from "./offers.ts";
import { paidParts } from "./paidParts.ts";
import { canBeTaken, decode, idOf, saltedBy, sameOf, withoutSalt } from "./paidRequest.ts";
import {
  isSealed,
  type PaidParameters,
  type Payable,
  plainPayable,
  routesFor,
  settingsFor,
} from "./payable.ts";
import { requireWithinLimits } from "./payerLimits.ts";
import { readPayment } from "./payment.ts";
import { identifierIn, withoutName } from "./paymentIdentifier.ts";
import { inToken, type PaymentSettings } from "./paymentSettings.ts";
import { priceFor, tokenPriceOf } from "./prices.ts";
import { Quotes } from "./quote.ts";
import {
  failedPaid,
  malformed,
  namedUnderWay,
  noLedger,
  notKept,
  otherNamed,
  paidHeaders,
  type RefusalCode,
  refusalOf,
  saltOfOthers,
  sealedAfterPayment,
  withHeaders,
} from "./refusals.ts";
import { SamePayments } from "./samePayments.ts";
import { isSignedByPayer } from "./signedByPayer.ts";
import { priceOfAnswer } from "./tokenPrice.ts";
import { isTokenSalt, requestIn } from "./tokenSalt.ts";

/** Hears of each payment that was taken. */
type OnPaid = (paid: { route: string; token: string }) => void;

/**
 * Answers what is paid for by x402, and asks others to pay. A payment is noted on disk before it is brought to the chain, and
 * granted once; whoever comes with it again has the answer that it was for.
 */
export class Payments {
  readonly #settings: PaymentSettings;
  readonly #ledger: GrantLedger;
  readonly #facilitator: Facilitator;
  readonly #ends: GrantEnds;
  readonly #quotes = new Quotes();
  readonly #offered: OfferedQuotes;
  readonly #logger: Logger;
  /** by payer and request: what a later one of the same payer, which says the same, is answered with */
  readonly #same: SamePayments<Asked>;
  readonly #onPaid: OnPaid;

  private constructor(parameters: {
    settings: PaymentSettings;
    ledger: GrantLedger;
    queue: { url: string; secret: string | undefined };
    answers: KeptAnswers;
    onPaid: OnPaid;
    logger: Logger;
  }) {
    const { answers, ledger, logger, queue, settings } = parameters;
    this.#settings = settings;
    this.#ledger = ledger;
    this.#same = new SamePayments(settings.retryMs);
    this.#logger = logger;
    this.#facilitator = new Facilitator(settings);
    const { retryMs } = settings;
    const onSweep = () => this.#same.prune();
    this.#ends = new GrantEnds({ ledger, answers, queue, retryMs, onSweep, logger });
    this.#onPaid = parameters.onPaid;
    this.#offered = new OfferedQuotes({
      ...{ settings, facilitator: this.#facilitator, quotes: this.#quotes, logger },
    });
  }

  /** @throws StartError where the ledger cannot be used */
  static async open(parameters: {
    settings: PaymentSettings;
    folder: string;
    queue: { url: string; secret: string | undefined };
    /** where the answers are that were paid for */
    answers: KeptAnswers;
    onPaid: OnPaid;
    logger: Logger;
  }): Promise<Payments> {
    const ledger = await GrantLedger.open(parameters.folder);
    const payments = new Payments({ ...parameters, ledger });
    void payments.#ends.sweep();
    return payments;
  }

  async close(): Promise<void> {
    this.#ends.stop();
    await this.#ledger.close();
  }

  /** Answers a request, if it costs nothing or is paid. @throws RefusedRequestError 402 with the offers where it is not */
  async answer(parameters: AnswerParameters): Promise<Response> {
    const { request } = parameters;
    if (priceFor(this.#settings.prices, request) === undefined) {
      return await answerRequest(parameters);
    }
    if (request.isSalted && isTokenSalt(request.salt)) throw saltOfOthers();
    return await this.answerPaid(plainPayable(parameters));
  }

  /** Answers what costs something, if it is paid. @throws as `answer` */
  async answerPaid(parameters: PaidParameters): Promise<Response> {
    const { c, request } = parameters;
    const header = c.req.header("payment-signature");
    const { url } = c.req;
    if (header === undefined) {
      throw await this.#refuse({ request, url, code: "payment.required" });
    }
    const asked = await this.#read({ header, request, url });
    return await this.#answerPaid({ ...parameters, asked: this.#reused(asked) });
  }

  /** What a payment is for. @throws RefusedRequestError where it is for nothing, or for something else */
  async #read(parameters: { header: string; request: Payable; url: string }): Promise<Asked> {
    const { header, url } = parameters;
    const payload = decode(header);
    const payment = readPayment(payload?.payload, payload?.accepted?.scheme);
    const extra = payload?.accepted?.extra as { haca?: { salt?: unknown } } | undefined;
    if (payload === undefined || payment === undefined) throw malformed();
    const name = identifierIn(payload);
    const id = idOf(payment);
    const known = this.#ledger.find(id);
    const now = Math.floor(Date.now() / 1_000);
    // What stands in the ledger was compared with a quote of ours when that was young.
    const quote =
      known === undefined ? this.#quotes.read(extra?.haca, now) : Quotes.parse(extra?.haca);
    const own = parameters.request;
    const refuse = (code: RefusalCode) => this.#refuse({ request: own, url, code });
    if (isSealed(own) && !routesFor(this.#settings, own).includes(payment.route)) {
      throw await refuse("payment.notForSealed");
    }
    if (quote === undefined) throw await refuse("payment.quoteUnknown");
    const inItsToken = inToken(this.#settings, quote.token);
    if (inItsToken === undefined || priceFor(inItsToken.prices, own) === undefined) {
      throw await refuse("payment.doesNotFit");
    }
    const settings = settingsFor(inItsToken, own);
    const request = own.isSalted ? requestIn(settings, own) : saltedBy(own, quote.salt);
    if (quote.requestHash !== request.inputHash || quote.path !== request.path) {
      throw await refuse("payment.otherRequest");
    }
    // Nothing of a transfer names its request: a quote of no process could be made up for another.
    if (known !== undefined && known.requestHash !== request.inputHash) {
      throw await refuse("payment.otherRequest");
    }
    const isInTime = known !== undefined || canBeTaken(payment, now);
    const { scheme } = payload.accepted;
    if (!isInTime || !fitsQuote({ settings, payment, quote, scheme })) {
      throw await refuse("payment.doesNotFit");
    }
    if (known !== undefined && known.contentHash !== payment.contentHash) {
      throw await refuse("payment.otherUnderNonce");
    }
    if (known !== undefined && isGivenBack(known)) {
      throw await refuse("payment.cancelled");
    }
    const repeat = repeatFor({ id, contentHash: payment.contentHash }, request);
    const same = sameOf(own);
    const read = { id, header, payload, payment, quote, settings };
    const asked = { ...read, request: { ...request, repeat }, own, same, url };
    return { ...asked, name, isSigned: false };
  }

  /**
   * The request itself; or, where the same payer has paid for the same a short while ago, or under the same name, that one: clients
   * send a request again by themselves, and pay again. Then nobody brings the second payment to the chain.
   * @throws RefusedRequestError where the name is that of another request
   */
  #reused(read: Asked): Asked {
    const { payload, payment } = read;
    const { chainId, token } = read.settings;
    const { address: verifyingContract, name, version } = token;
    const domain = { name, version, chainId, verifyingContract };
    // Who only says that they are the payer neither gets an answer of the payer's nor stands in the way of one.
    if (!isSignedByPayer({ payment, payload: payload.payload, chainId, token: domain })) {
      return { ...read, name: undefined };
    }
    const asked = { ...read, isSigned: true };
    const named = this.#namedAs(asked);
    const key = keyOfSame(asked);
    const first = this.#same.find(key);
    if (first !== undefined && this.#isAlive(first)) return first;
    if (named !== undefined) return answeredAs(asked, named);
    this.#same.remember(key, asked);
    return asked;
  }

  /** What the payer has paid for under the same name, by another payment. @throws RefusedRequestError 400 where it is something else */
  #namedAs({ id, name, payment, same }: Asked): Grant | undefined {
    if (name === undefined) return undefined;
    const grant = this.#ledger.namedBy(payment.payer, noteOf(name));
    if (grant === undefined || grant.id === id) return undefined;
    if (!isNamed(grant.named, name, same)) throw otherNamed();
    return grant;
  }

  /** Whether a grant is about to have an answer, or has one. */
  #isAlive(asked: Asked): boolean {
    const grant = this.#grantOf(asked);
    return grant === undefined
      ? this.#ends.isRunning(asked.request.repeat.name)
      : !isGivenBack(grant);
  }

  /** The grant of a payment itself: under its nonce another may be noted. */
  #grantOf({ id, payment }: Asked): Grant | undefined {
    const grant = this.#ledger.find(id);
    return grant?.contentHash === payment.contentHash ? grant : undefined;
  }

  async #answerPaid(parameters: PaidParameters & { asked: Asked }): Promise<Response> {
    const { asked, make, parts } = parameters;
    const { id, payment, quote, request, settings } = asked;
    const { name } = request.repeat;
    const perToken = tokenPriceOf(priceFor(settings.prices, request));
    const most = BigInt(quote.amount);
    const priced: Charge = {
      requester: payment.payer,
      priceOf: (answer) => priceOfAnswer({ answer, most, perToken }),
    };
    // Nothing on the chain says which sealed request a payment was for.
    const charge = isSealed(request) ? undefined : priced;
    const paid = paidParts({
      ...{ parts, charge },
      begin: async () => {
        const held = heldBy(await this.#grant(asked));
        if (held !== undefined) priced.payment = held;
      },
      onBegin: () => this.#ends.begin(name),
      onAnswered: () => this.#ends.answered(id),
      onEnd: (error) => this.#ends.finish(name, error && { grant: this.#grantOf(asked), error }),
    });
    try {
      const { inputHash, repeat, salt } = request;
      const isNoted = () => this.#grantOf(asked) !== undefined;
      const response = await make({ parts: paid, fields: { inputHash, repeat, salt }, isNoted });
      const grant = this.#grantOf(asked);
      // The answer was there, and its result is with the worker now: an earlier process did not come to note it.
      if (grant?.state === "granted" && !this.#ends.isRunning(name)) await this.#ends.answered(id);
      return this.#withHeaders(response, grant);
    } catch (error) {
      const grant = this.#grantOf(asked);
      if (error instanceof SealedRefusalError) {
        return this.#withHeaders(sentSealed(error.answer), grant);
      }
      if (grant === undefined) this.#same.forget(keyOfSame(asked), asked);
      // Before the grant every refusal is as it is: nothing was taken.
      if (isUnpaid(grant)) throw grant === undefined ? error : undecided(error, request);
      throw failedPaid({ error, grant, network: this.#settings.network, logger: this.#logger });
    }
  }

  /** Takes the money, or finds that it was taken. @throws RefusedRequestError */
  async #grant(asked: Asked): Promise<Grant> {
    const { header, id, isSigned, name, own, payment, quote, request, same, settings, url } = asked;
    const known = this.#ledger.find(id);
    // Another under the same nonce may have been noted since this one was read.
    if (known !== undefined && known.contentHash !== payment.contentHash) {
      throw await this.#refuse({ request: own, url, code: "payment.otherUnderNonce" });
    }
    if (known?.state === "answered") throw notKept();
    if (known !== undefined && known.state !== "opening") return known;
    const { payer, route, amount } = payment;
    if (known === undefined) {
      // Another request may have taken the name since it was read.
      if (this.#namedAs(asked) !== undefined) throw namedUnderWay();
      const { token } = quote;
      const of = { settings: this.#settings, payer, token, amount };
      requireWithinLimits({ ledger: this.#ledger, ...of });
    }
    const job = known === undefined && commerceJobOf({ settings, payment, quote });
    const opening: Grant = known ?? {
      ...{ id, route, payer, nonce: String(payment.nonce), amount: String(amount) },
      ...{ requestHash: request.inputHash, contentHash: payment.contentHash },
      ...{ validUntil: String(payment.validUntil), state: "opening", transaction: null },
      ...(job && { job: commerceJobText(job) }),
      ...(name !== undefined && { named: namedAs(name, { same, salt: request.salt }) }),
      ...(isSealed(request) && { isSealed: true as const }),
      ...(!isSigned && { isUnsigned: true as const }),
      at: Date.now(),
    };
    if (known === undefined) await this.#ledger.put(opening).catch(noLedger);
    const processed = await processPayment({
      ...{ offered: [{ settings, quote }], payment: header },
      request: { url, path: `/v1/${request.path}` },
      settle: (payload, requirements) =>
        this.#facilitator.settle(
          withoutName({ ...payload, accepted: withoutSalt(requirements) }),
          withoutSalt(requirements),
        ),
    });
    if (!processed.isPaid) {
      await this.#ledger.forget(id);
      throw refusalOf("payment.refused", processed);
    }
    const granted: Grant = {
      ...opening,
      state: "granted",
      transaction: processed.settled.transaction,
    };
    await this.#ledger.put(granted).catch((error: unknown) => {
      // The money is taken: the answer is made. A restart finds the grant as opening, and asks the facilitator again.
      this.#logger.error({ err: error }, "a granted payment is not noted");
    });
    const { transaction } = granted;
    const { symbol: token } = settings.token;
    this.#onPaid({ route, token });
    // A log tells nobody which of the answers beside it a sealed request's payment was for.
    this.#logger.info({ route, token, ...(!isSealed(request) && { transaction }) }, "paid");
    return granted;
  }

  /** The offers for a request, as the refusal that has them. */
  async #refuse(parameters: {
    request: Payable;
    url: string;
    code: RefusalCode;
  }): Promise<RefusedRequestError> {
    const { code, request, url } = parameters;
    const processed = await processPayment({
      ...{ offered: await this.#offered.of(request), payment: undefined },
      request: { url, path: `/v1/${request.path}` },
      settle: () => Promise.reject(new Error("nothing is settled without a payment")),
    });
    if (processed.isPaid) throw new Error("nobody has paid");
    return refusalOf(code, processed);
  }

  #withHeaders(response: Response, grant: Grant | undefined): Response {
    if (grant === undefined) return response;
    return withHeaders(response, paidHeaders(grant, this.#settings.network));
  }
}

/** Why a payment may be taken still: a sealed request that its client asked anew would be another, which its relay pays for again. */
const undecided = (error: unknown, request: Payable): unknown =>
  isSealed(request) && error instanceof RefusedRequestError ? sealedAfterPayment(error) : error;
