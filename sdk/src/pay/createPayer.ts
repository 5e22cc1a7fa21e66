import { BaseError } from "@haca/protocol/baseError";
import { keccak, keccakText } from "../bytes.ts";
import { optionError, requireKnown } from "../client/optionError.ts";
import type { Payer, Payment, PaymentDemand, PaymentTerms, Route } from "../client/payer.ts";
import {
  type Authorization,
  authorizationOf,
  chooseOffer,
  nonceIn,
  SCHEMES,
  typedDataOf,
  validUntilOf,
} from "./authorize.ts";
import { channelPayer } from "./channel/channelPayer.ts";
import { memoryJournal, type PaymentJournal } from "./journal.ts";
import { base64Of, notNoted, refusal } from "./paymentError.ts";
import { type PaymentNote, readNote } from "./paymentNote.ts";
import { isInOpg, type PaymentPins, type ReadPins, readPaymentPins } from "./paymentPins.ts";
import { type Offer, readOffer, readOffers } from "./readOffers.ts";
import { type ReadSigner, readSigner, type Signer } from "./signer.ts";
import { tokenSaltOf } from "./tokenSalt.ts";

export type PayerOptions = {
  /** a wallet by EIP-1193, or an account with `signTypedData`, viem's, ethers', or of `keySigner` */
  signer: Signer;
  /** what may be paid, where, and to whom: `pinsOfDeployment` reads it of a deployment file */
  pins: PaymentPins;
  /** smallest units; nothing is paid if they are left out */
  maxPerCall?: bigint;
  maxPerSession?: bigint;
  /** the first that a node offers is taken; `escrow` alone if left out */
  routes?: readonly Route[];
  /** seconds that the escrow may hold a payment; seven days if left out */
  maxWindow?: number;
  /** of the route `channel`: smallest units that come into a channel at once, when it has too little */
  channelDeposit?: bigint;
  /** of the route `channel`: seconds that a withdrawal may take; fourteen days if left out */
  maxWithdrawDelay?: number;
  /** keeps what was signed beyond this process; in its memory alone if left out */
  journal?: PaymentJournal;
  /** told of each payment before it is signed; where it throws, nothing is paid */
  onPayment?: (terms: PaymentTerms) => void | Promise<void>;
};

const OPTIONS = [
  ...["signer", "pins", "maxPerCall", "maxPerSession", "routes", "maxWindow", "journal"],
  ...["onPayment", "channelDeposit", "maxWithdrawDelay"],
];
const ROUTES: readonly unknown[] = Object.keys(SCHEMES);
const SEVEN_DAYS = 604_800;
const CHANNEL_OPTIONS = ["channelDeposit", "maxWithdrawDelay"] as const;
/** A note that was not signed is signed as it stands while it has so many seconds left. */
const LEAST_LEFT = 30;

/**
 * Who pays for a client's requests, and for nothing that is not as pinned. For one salt, and so for one idempotency key, it signs
 * one payment: under the same nonce, and noted before it leaves.
 * @throws BaseError `option.wrong`
 */
export function createPayer(options: PayerOptions): Payer {
  requireKnown(options, OPTIONS);
  const {
    journal = memoryJournal(),
    maxWindow = SEVEN_DAYS,
    onPayment,
    routes = ["escrow"],
  } = options;
  if (!Array.isArray(routes) || routes.length === 0 || !routes.every((it) => ROUTES.includes(it))) {
    throw optionError("routes", "must be a list of escrow, exact and commerce, or channel alone");
  }
  if (routes.includes("channel")) return byChannel(options, routes);
  const idle = CHANNEL_OPTIONS.find((name) => options[name] !== undefined);
  if (idle !== undefined) throw optionError(idle, "is for the route channel");
  // Each has nonces of its own: without a note, the same key would pay by the one and, in another process, by the other. By commerce
  // the nonce is made of the offer's deadlines, too, which are others in each.
  if ((routes.length > 1 || routes.includes("commerce")) && options.journal === undefined) {
    throw optionError("journal", "is needed to pay by commerce, and where there are two routes");
  }
  if (!Number.isSafeInteger(maxWindow) || maxWindow <= 0) {
    throw optionError("maxWindow", "must be a whole number above 0");
  }
  return payerOf({
    ...{ journal, maxWindow, onPayment, routes: [...routes] },
    signer: readSigner(options.signer),
    pins: readPaymentPins(options.pins, routes),
    maxPerCall: readAmount("maxPerCall", options.maxPerCall),
    maxPerSession: readAmount("maxPerSession", options.maxPerSession),
  });
}

/** @throws BaseError `option.wrong` */
function byChannel(options: PayerOptions, routes: readonly Route[]): Payer {
  const { channelDeposit, journal, maxWithdrawDelay = 2 * SEVEN_DAYS, onPayment } = options;
  if (routes.length > 1) throw optionError("routes", "channel goes with no other route");
  // Of a deposit that nobody remembers a second one would be signed.
  if (journal === undefined) throw optionError("journal", "is needed to pay by channel");
  if (!Number.isSafeInteger(maxWithdrawDelay) || maxWithdrawDelay <= 0) {
    throw optionError("maxWithdrawDelay", "must be a whole number above 0");
  }
  return channelPayer({
    ...{ journal, onPayment, maxDelay: maxWithdrawDelay },
    signer: readSigner(options.signer),
    pins: readPaymentPins(options.pins, routes),
    maxPerCall: readAmount("maxPerCall", options.maxPerCall),
    maxPerSession: readAmount("maxPerSession", options.maxPerSession),
    deposit: readAmount("channelDeposit", channelDeposit),
  });
}

function readAmount(option: string, amount: bigint = 0n): bigint {
  if (typeof amount === "bigint" && amount >= 0n) return amount;
  throw optionError(option, "must be a bigint of smallest units, not below 0");
}

type Parts = {
  signer: ReadSigner;
  pins: ReadPins;
  maxPerCall: bigint;
  maxPerSession: bigint;
  routes: readonly Route[];
  maxWindow: number;
  journal: PaymentJournal;
  onPayment: PayerOptions["onPayment"];
};

function payerOf(parts: Parts): Payer {
  const { journal, maxPerCall, maxPerSession, onPayment, pins, signer } = parts;
  /** what was signed in this session, by the payment's name */
  const spent = new Map<string, bigint>();
  const queues = new Map<string, Promise<unknown>>();

  /** One at a time under a name: what the one has signed, the next one finds. */
  function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (queues.get(name) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    queues.set(name, settled);
    void settled.then(() => queues.get(name) === settled && queues.delete(name));
    return turn;
  }

  const leftFor = (name: string) => {
    const others = [...spent].filter(([known]) => known !== name);
    const session = others.reduce((left, [, amount]) => left - amount, maxPerSession);
    return { perCall: maxPerCall, session };
  };

  async function nameOf(salt: string): Promise<{ name: string; payer: string; nonce: string }> {
    const payer = await signer.account();
    // Of the salt, which is of the idempotency key: one request, one nonce, one payment.
    const nonce = keccak(keccakText("HACA payment nonce of a salt 1"), salt);
    return { payer, nonce, name: `${pins.chainId}-${payer}-${nonce}` };
  }

  async function read(name: string, requestHash: string): Promise<PaymentNote | undefined> {
    const text = await journal.read(name);
    if (text === undefined) return undefined;
    const note = readNote(text);
    if (note.requestHash === requestHash) return note;
    throw refusal("otherRequest", "this key, or this salt, has paid for another request");
  }

  async function recall(
    asked: Pick<PaymentDemand, "salt" | "requestHash">,
  ): Promise<Payment | undefined> {
    const { name } = await nameOf(asked.salt);
    return await inTurn(name, async () => {
      const note = await read(name, asked.requestHash);
      if (note?.signature == null) return undefined;
      spent.set(name, BigInt(note.terms.most));
      return paymentOf(note, note.signature, true);
    });
  }

  function termsOf(
    offer: Offer,
    route: Route,
    rest: Pick<PaymentTerms, "node" | "payer" | "nonce" | "validUntil">,
  ): PaymentTerms {
    const { chainId, token } = pins;
    const escrow = route === "escrow" ? pins.escrow : offer.commerce?.escrow;
    return {
      ...{ route, chainId, node: rest.node, payer: rest.payer, payee: offer.quote.payee },
      ...{ token: token.address, escrow: escrow ?? null },
      ...(offer.commerce && { operator: offer.payTo }),
      ...{ most: offer.amount, nonce: rest.nonce, validUntil: rest.validUntil },
    };
  }

  async function pay(demand: PaymentDemand): Promise<Payment> {
    const { name, nonce, payer } = await nameOf(demand.salt);
    return await inTurn(name, async () => {
      const noted = await read(name, demand.requestHash);
      const node = demand.node.href;
      if (noted?.signature != null) {
        if (noted.terms.node === node) return paymentOf(noted, noted.signature, true);
        throw refusal("otherNode", `this request is being paid for at ${noted.terms.node}`);
      }
      const now = Math.floor(Date.now() / 1000);
      const known = { ...parts, left: leftFor(name), now };
      const chosen = notedOffer(noted, demand, known) ?? offerOf(demand, known);
      const { offer, resource, route } = chosen;
      const of = (validUntil: string) => {
        const signed = { chainId: pins.chainId, payer, nonce, validUntil };
        const authorization = authorizationOf(offer, signed);
        const rest = { node, payer, nonce: nonceIn(authorization, nonce), validUntil };
        const requestSalt = tokenSaltOf(offer, demand);
        const terms = { ...termsOf(offer, route, rest), ...(requestSalt && { requestSalt }) };
        return { terms, authorization };
      };
      const until = Number(noted?.terms.validUntil ?? 0);
      const isStanding =
        until > now + LEAST_LEFT && isSameDraft(of(String(until)), noted as PaymentNote);
      const { authorization, terms } = of(isStanding ? String(until) : validUntilOf(offer, now));
      const note: PaymentNote = {
        ...{ version: 1, requestHash: demand.requestHash, terms, authorization },
        ...{ accepted: offer.accepted, resource, signature: null },
      };
      // What is signed twice at once must not go beyond the budget together.
      spent.set(name, BigInt(terms.most));
      try {
        await onPayment?.(terms);
        const text = JSON.stringify(note);
        await (noted === undefined ? journal.add(name, text) : journal.replace(name, text));
        const signature = await signer.sign(payer, typedDataOf(authorization, pins));
        await journal.replace(name, JSON.stringify({ ...note, signature }));
        return paymentOf(note, signature, false);
      } catch (error) {
        // Nothing has left.
        spent.delete(name);
        throw error instanceof BaseError ? error : notNoted(error);
      }
    });
  }

  async function renew(payment: Payment, demand: PaymentDemand): Promise<Payment | undefined> {
    const { name, nonce, payer } = await nameOf(demand.salt);
    const note = await read(name, demand.requestHash);
    if (note?.signature == null) return undefined;
    const { validUntil } = payment;
    const { offers, resource } = readOffers(demand.offers, [SCHEMES[note.terms.route]]);
    const signed = { chainId: pins.chainId, payer, nonce, validUntil };
    const offer = offers.find(
      (one) => JSON.stringify(authorizationOf(one, signed)) === JSON.stringify(note.authorization),
    );
    if (offer === undefined) return undefined;
    return paymentOf({ ...note, accepted: offer.accepted, resource }, note.signature, true);
  }

  const listed = isInOpg(pins) ? maxPerCall : undefined;
  return { chainId: pins.chainId, maxPerCall: listed, recall, pay, renew };
}

type Known = Parameters<typeof chooseOffer>[2];
type Chosen = ReturnType<typeof chooseOffer> & { resource: unknown };

/** What a node offers now. @throws BaseError `payment.…` */
function offerOf(demand: PaymentDemand, known: Known): Chosen {
  const schemes = known.routes.map((route) => SCHEMES[route]);
  const { offers, resource } = readOffers(demand.offers, schemes);
  return { ...chooseOffer(offers, demand, known), resource };
}

/**
 * The offer of a payment that was noted, and perhaps signed, and has not left. By commerce one of now makes another payment, so it is
 * gone on with while it holds; by the other routes one of now makes the same.
 */
function notedOffer(
  note: PaymentNote | undefined,
  demand: PaymentDemand,
  known: Known,
): Chosen | undefined {
  if (note?.terms.route !== "commerce" || note.terms.node !== demand.node.href) return undefined;
  const { accepted, resource } = note;
  try {
    const offers = readOffer(accepted, [SCHEMES.commerce]);
    return { ...chooseOffer(offers, demand, known), resource };
  } catch {
    return undefined;
  }
}

type Draft = { terms: PaymentTerms; authorization: Authorization };

const isSameDraft = (one: Draft, { authorization, terms }: Draft): boolean =>
  JSON.stringify(one) === JSON.stringify({ terms, authorization });

/** A payment with the header of x402 that brings it. */
function paymentOf(note: PaymentNote, signature: string, isRecalled: boolean): Payment {
  const { accepted, authorization, resource, terms } = note;
  const payload = { x402Version: 2, resource, accepted, payload: { signature, ...authorization } };
  return { ...terms, header: base64Of(JSON.stringify(payload)), isRecalled };
}
