import { BaseError } from "@haca/protocol/baseError";
import { keccak, keccakText, toHex } from "../../bytes.ts";
import type { Payer, Payment, PaymentDemand, PaymentTerms } from "../../client/payer.ts";
import { MOST_SECONDS, requireGood } from "../authorize.ts";
import type { PaymentJournal } from "../journal.ts";
import { base64Of, notNoted, refusal } from "../paymentError.ts";
import type { ReadPins } from "../paymentPins.ts";
import { type Offer, readOffers } from "../readOffers.ts";
import type { ReadSigner } from "../signer.ts";
import { type ChannelNote, readChannelNote } from "./channelNote.ts";
import { noteAfter, toldBy, toldIn } from "./channelState.ts";
import {
  type Channel,
  type ChannelDeposit,
  channelAccount,
  channelIdOf,
  depositData,
  voucherData,
} from "./channelTypes.ts";

type Parts = {
  signer: ReadSigner;
  pins: ReadPins;
  maxPerCall: bigint;
  maxPerSession: bigint;
  /** smallest units that come into a channel at once */
  deposit: bigint;
  /** seconds that a withdrawal may take */
  maxDelay: number;
  journal: PaymentJournal;
  onPayment: ((terms: PaymentTerms) => void | Promise<void>) | undefined;
};

/** What was signed for a request, before it leaves. */
type RequestNote = {
  version: 1;
  requestHash: string;
  terms: PaymentTerms;
  channelId: string;
  /** the header's parts */
  accepted: object;
  resource: unknown;
  payload: object;
  /** the voucher's, and how often it was raised for this request, in whatever calls */
  sum: string;
  raised: number;
};

const SCHEME = "batch-settlement";
const NO_SALT = `0x${"00".repeat(32)}`;
const SALT_BYTES = 32;
/** A deposit that can be used no longer is not there after so many seconds more. */
const CLOCK_SKEW = 60;
/** A node that has lost a channel tells another sum once, and another time that it needs a deposit. */
const MOST_RAISED = 2;
const TOO_LITTLE = "invalid_batch_settlement_evm_cumulative_exceeds_balance";
/** Where gateways answer what is paid by channel. */
const PATH = "/v1/channel/chat/completions";

/**
 * Who pays by a channel: a voucher for each request, of what was charged so far and its price. Of a channel one request is under way at a
 * time; what is signed is noted before it leaves, and what a node says was charged is believed up to what was signed.
 */
export function channelPayer(parts: Parts): Payer {
  const { deposit, journal, maxDelay, maxPerCall, maxPerSession, onPayment, pins, signer } = parts;
  const { chainId } = pins;
  /** how much more may be claimed by what was signed in this session, and what was to be brought into channels */
  const spent = { vouchers: 0n, deposits: 0n };
  const turns = new Map<string, Promise<void>>();

  /** Waits for a channel's turn, and gives it back once. */
  async function takeTurn(name: string): Promise<() => void> {
    const before = turns.get(name) ?? Promise.resolve();
    let release = (): void => undefined;
    const own = new Promise<void>((resolve) => {
      release = resolve;
    });
    const all = before.then(() => own);
    turns.set(name, all);
    await before;
    return () => {
      release();
      if (turns.get(name) === all) turns.delete(name);
    };
  }

  const nameOf = async (salt: string) => {
    const payer = await signer.account();
    const nonce = keccak(keccakText("HACA payment nonce of a salt 1"), salt);
    return { payer, nonce, name: `${chainId}-${payer}-${nonce}` };
  };
  const channelName = (payer: string, channelId: string): string =>
    `${chainId}-${payer}-channel-${channelId}`;

  async function readRequest(name: string, requestHash: string): Promise<RequestNote | undefined> {
    const text = await journal.read(name);
    if (text === undefined) return undefined;
    const note = readRequestNote(text);
    if (note.requestHash === requestHash) return note;
    throw refusal("otherRequest", "this key, or this salt, has paid for another request");
  }

  /** Puts a note in its place, whether there is one or not. */
  async function put(name: string, note: object, isNew: boolean): Promise<void> {
    const text = JSON.stringify(note);
    await (isNew ? journal.add(name, text) : journal.replace(name, text));
  }

  /** A payment whose channel is others' turn again at its end. */
  function paymentOf(note: RequestNote, isRecalled: boolean, release: () => void): Payment {
    const { accepted, channelId, payload, resource, terms } = note;
    const whole = { x402Version: 2, resource, accepted, payload };
    return {
      ...{ ...terms, header: base64Of(JSON.stringify(whole)), isRecalled },
      requester: channelAccount(channelId),
      async end(settled) {
        try {
          const told = toldBy(settled, channelId);
          if (told === undefined) return;
          const name = channelName(terms.payer, channelId);
          const known = readChannelNote((await journal.read(name)) ?? "");
          const after = noteAfter(known, told, chainId);
          const isThere = BigInt(after.balance) >= BigInt(after.signed);
          await put(name, isThere ? { ...after, deposit: null } : after, false);
        } catch {
          // No answer is lost for it: what is not noted, or not believed, the node has to tell again.
        } finally {
          release();
        }
      },
    };
  }

  async function recall(
    asked: Pick<PaymentDemand, "salt" | "requestHash">,
  ): Promise<Payment | undefined> {
    const { name } = await nameOf(asked.salt);
    const found = await readRequest(name, asked.requestHash);
    if (found === undefined) return undefined;
    const release = await takeTurn(found.channelId);
    try {
      const note = (await readRequest(name, asked.requestHash)) ?? found;
      return paymentOf(note, true, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  function channelOf({ asset, payTo, withdrawDelay = 0 }: Offer, payer: string): Channel {
    return {
      ...{ payer, payerAuthorizer: payer, receiver: payTo, receiverAuthorizer: payTo },
      ...{ token: asset, withdrawDelay, salt: NO_SALT },
    };
  }

  async function pay(demand: PaymentDemand): Promise<Payment> {
    const { payer, name } = await nameOf(demand.salt);
    const { offer, resource } = chosen(demand);
    const channel = channelOf(offer, payer);
    const channelId = channelIdOf(chainId, channel);
    const release = await takeTurn(channelId);
    try {
      const paying = await readRequest(name, demand.requestHash);
      if (paying !== undefined) {
        const isHere = paying.terms.node === demand.node.href && paying.channelId === channelId;
        if (isHere) return paymentOf(paying, true, release);
        throw refusal("otherNode", `this request is being paid for at ${paying.terms.node}`);
      }
      const text = await journal.read(channelName(payer, channelId));
      const known: ChannelNote | undefined = text === undefined ? undefined : readChannelNote(text);
      const note = known ?? {
        ...{ version: 1, channelId, channel, charged: "0", signed: "0" },
        ...{ balance: "0", deposit: null },
      };
      const wantsDeposit =
        note.deposit === null && BigInt(note.charged) + BigInt(offer.amount) > BigInt(note.balance);
      const made = await sign({ demand, offer, resource, note, wantsDeposit, isNew: !known });
      return paymentOf(made, false, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The offer of a node that is as it has to be. @throws BaseError `payment.*` */
  function chosen(demand: PaymentDemand) {
    const { error, offers, resource } = readOffers(demand.offers, [SCHEME]);
    const { host } = demand.node;
    const [offer] = offers;
    if (offer === undefined) throw refusal("noRoute", `${host} offers none of channel`);
    const left = { perCall: maxPerCall, session: maxPerSession };
    const now = Math.floor(Date.now() / 1000);
    requireGood(offer, "channel", demand, {
      ...{ pins, routes: [], left, now },
      maxWindow: maxDelay,
    });
    return { error, offer, resource };
  }

  /** Signs and notes what pays for a request; what it makes the highest voucher higher by counts. */
  async function sign(asked: {
    demand: PaymentDemand;
    offer: Offer;
    resource: unknown;
    note: ChannelNote;
    wantsDeposit: boolean;
    /** whether the channel is */
    isNew: boolean;
    /** what was signed for the request before */
    before?: RequestNote;
  }): Promise<RequestNote> {
    const { before, demand, isNew, note, offer, resource, wantsDeposit } = asked;
    const { payer, nonce, name } = await nameOf(demand.salt);
    const { channel, channelId } = note;
    const now = Math.floor(Date.now() / 1000);
    const sum = BigInt(note.charged) + BigInt(offer.amount);
    const growth = sum > BigInt(note.signed) ? sum - BigInt(note.signed) : 0n;
    const isRaised = before !== undefined && sum > BigInt(before.sum);
    const raised = (before?.raised ?? 0) + Number(isRaised);
    if (raised > MOST_RAISED) {
      throw refusal("tooMuch", `${demand.node.host} wants a higher voucher again, for one request`);
    }
    requireLeft("vouchers", growth, demand.node.host);
    const kept = isOver(note.deposit, now) ? null : note.deposit;
    const draft = wantsDeposit ? (kept ?? draftOf(note, sum, offer, now, demand.node.host)) : null;
    const isFresh = draft !== null && kept === null;
    if (isFresh) requireLeft("deposits", BigInt(draft.amount), demand.node.host);
    const terms: PaymentTerms = {
      ...{ route: "channel", chainId, node: demand.node.href, payer },
      ...{ payee: offer.quote.payee, token: pins.token.address, escrow: offer.payTo },
      ...{ most: offer.amount, nonce, validUntil: String(now + MOST_SECONDS) },
      ...(isFresh ? { deposit: draft.amount } : {}),
    };
    spent.vouchers += growth;
    if (isFresh) spent.deposits += BigInt(draft.amount);
    let isNoted = false;
    try {
      await onPayment?.(terms);
      const signed = await signer.sign(
        payer,
        voucherData(chainId, { channelId, sum: String(sum) }),
      );
      const deposited: ChannelDeposit | null =
        draft === null || !isFresh
          ? draft
          : {
              ...draft,
              signature: await signer.sign(
                payer,
                depositData(pins, { ...draft, payer, channelId }),
              ),
            };
      const highest = String(BigInt(note.signed) + growth);
      const after: ChannelNote = { ...note, signed: highest, deposit: deposited ?? kept };
      await put(channelName(payer, channelId), after, isNew);
      isNoted = true;
      const request: RequestNote = {
        ...{ version: 1, requestHash: demand.requestHash, terms, channelId },
        ...{ accepted: offer.accepted, resource },
        payload: payloadOf({ channel, channelId, sum: String(sum), signed, deposited }),
        ...{ sum: String(sum), raised },
      };
      await put(name, request, before === undefined);
      return request;
    } catch (error) {
      // Nothing has left; but what the channel's note has may be brought by the next call, which counts it no more.
      if (!isNoted) {
        spent.vouchers -= growth;
        if (isFresh) spent.deposits -= BigInt(draft.amount);
      }
      throw error instanceof BaseError ? error : notNoted(error);
    }
  }

  function requireLeft(of: keyof typeof spent, amount: bigint, host: string): void {
    const left = maxPerSession - spent[of];
    if (amount <= left) return;
    const what = of === "vouchers" ? "asks for" : "needs a deposit of";
    throw refusal(
      "sessionSpent",
      `${host} ${what} ${amount}, and ${left} is left of the session's budget`,
    );
  }

  /** A deposit that a voucher for this sum needs, unsigned. */
  function draftOf(note: ChannelNote, sum: bigint, offer: Offer, now: number, host: string) {
    const least = BigInt(offer.minDeposit ?? 0);
    if (deposit < least || BigInt(note.balance) + deposit < sum) {
      const needed = sum - BigInt(note.balance) > least ? sum - BigInt(note.balance) : least;
      throw refusal("tooMuch", `${host} needs a deposit of ${needed}, and ${deposit} is allowed`);
    }
    const salt = toHex(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
    const seconds = Math.min(offer.maxTimeoutSeconds, MOST_SECONDS);
    return { amount: String(deposit), validBefore: String(now + seconds), salt, signature: "" };
  }

  async function renew(payment: Payment, demand: PaymentDemand): Promise<Payment | undefined> {
    const { name } = await nameOf(demand.salt);
    const before = await readRequest(name, demand.requestHash);
    if (before === undefined || payment.end === undefined) return undefined;
    const { error, offer, resource } = chosen(demand);
    const channel = channelOf(offer, payment.payer);
    const { channelId } = before;
    if (channelIdOf(chainId, channel) !== channelId) return undefined;
    const stored = await journal.read(channelName(payment.payer, channelId));
    const known = readChannelNote(stored ?? "");
    const told = toldIn(Reflect.get(offer.accepted, "extra"), channelId);
    const note = told === undefined ? known : noteAfter(known, told, chainId);
    const hadDeposit = Reflect.get(before.payload, "type") === "deposit";
    const isShort = error === TOO_LITTLE;
    if (isShort && hadDeposit) return undefined;
    const made = await sign({
      ...{ before, demand, offer, resource, isNew: false, wantsDeposit: isShort },
      note: isShort && told === undefined ? { ...note, balance: "0" } : note,
    });
    const isSame = JSON.stringify(made.payload) === JSON.stringify(before.payload);
    // The same under an offer of now helps where the old one was forgotten, and nowhere else.
    if (isSame && !payment.isRecalled) return undefined;
    return { ...paymentOf(made, false, () => undefined), end: endOf(payment, made) };
  }

  /** The turn is the first payment's to give back. */
  const endOf = (first: Payment, made: RequestNote) => async (settled: string | undefined) => {
    try {
      await paymentOf(made, false, () => undefined).end?.(settled);
    } finally {
      await first.end?.(undefined);
    }
  };

  return { chainId, maxPerCall, path: PATH, recall, pay, renew };
}

const isOver = (deposit: ChannelDeposit | null, now: number): boolean =>
  deposit !== null && Number(deposit.validBefore) + CLOCK_SKEW < now;

function payloadOf(of: {
  channel: Channel;
  channelId: string;
  sum: string;
  signed: string;
  deposited: ChannelDeposit | null;
}): object {
  const { channel, channelId, deposited, signed, sum } = of;
  const voucher = { channelId, maxClaimableAmount: sum, signature: signed };
  const shared = { channelConfig: channel, voucher };
  if (deposited === null) return { type: "voucher", ...shared };
  const { amount, salt, signature, validBefore } = deposited;
  const erc3009Authorization = { validAfter: "0", validBefore, salt, signature };
  return {
    ...{ type: "deposit", ...shared },
    deposit: { amount, authorization: { erc3009Authorization } },
  };
}

function readRequestNote(text: string): RequestNote {
  try {
    const note = JSON.parse(text) as RequestNote;
    const isNote = note.version === 1 && note.terms.route === "channel";
    const texts = [note.channelId, note.requestHash, note.sum];
    if (isNote && texts.every((one) => typeof one === "string") && Number.isInteger(note.raised)) {
      return note;
    }
  } catch {
    // Said below.
  }
  throw new BaseError({
    code: "payment.journal",
    message: "the journal of payments has something else under this key than a payment by channel",
  });
}
