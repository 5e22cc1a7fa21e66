import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { RECEIVE_TYPES, TRANSFER_TYPES, UPTO_PERMIT_TYPES } from "@haca/protocol/signedPayments";
import type { PaymentDemand, Route } from "../client/payer.ts";
import { type CommerceTerms, collectorOf, commerceNonceOf, endsOf, NOBODY } from "./commerce.ts";
import { ENCLAVE_KINDS, facilitatorOf, PERMIT2, UPTO_PROXY } from "./escrow.ts";
import type { TypedData } from "./hashTypedData.ts";
import { refusal } from "./paymentError.ts";
import type { ReadPins } from "./paymentPins.ts";
import type { Offer } from "./readOffers.ts";
import { tokenSaltOf } from "./tokenSalt.ts";

/** What is paid at most for a call, and in all: smallest units. */
export type Caps = { perCall: bigint; session: bigint };

/** Scheme of x402 that each route is. */
export const SCHEMES = {
  ...{ escrow: "upto", exact: "exact", commerce: COMMERCE_SCHEME, channel: "batch-settlement" },
} as const satisfies Record<Route, string>;
/** Where answers are asked for, as quotes have it. */
const PATH = "chat/completions";
/** Seconds that a signature can be used at most; a node takes none that can be for longer. */
export const MOST_SECONDS = 300;

/** What everything about an offer is compared with. */
export type Knowledge = {
  pins: ReadPins;
  routes: readonly Route[];
  /** seconds that the escrow holds a payment, or that a withdrawal from a channel takes, at most */
  maxWindow: number;
};

/**
 * The first offer, in the order of the payer's routes, in which everything is as it has to be.
 * @throws BaseError `payment.…` for what is wrong with the first one of the routes
 */
export function chooseOffer(
  offers: readonly Offer[],
  demand: PaymentDemand,
  known: Knowledge & { left: Caps; now: number },
): { offer: Offer; route: Route } {
  let first: unknown;
  for (const route of known.routes) {
    for (const offer of offers.filter(({ scheme }) => scheme === SCHEMES[route])) {
      try {
        requireGood(offer, route, demand, known);
        return { offer, route };
      } catch (error) {
        first ??= error;
      }
    }
  }
  throw (
    first ?? refusal("noRoute", `${demand.node.host} offers none of ${known.routes.join(", ")}`)
  );
}

/** @throws BaseError `payment.…` for what is not as it has to be */
export function requireGood(
  offer: Offer,
  route: Route,
  demand: PaymentDemand,
  { left, maxWindow, now, pins }: Knowledge & { left: Caps; now: number },
): void {
  const { enclaveNode, node } = demand;
  const { host } = node;
  const { amount, quote } = offer;
  const demandThat = (isSo: boolean, code: string, what: string): void => {
    if (!isSo) throw refusal(code, `${host} ${what}`, { route });
  };
  const { address, name, version } = pins.token;
  const network = `eip155:${pins.chainId}`;
  demandThat(offer.network === network, "wrongNetwork", `wants to be paid on ${offer.network}`);
  demandThat(offer.asset === address, "wrongToken", `wants to be paid in ${offer.asset}`);
  const isDomain = offer.name === name && offer.version === version;
  demandThat(isDomain, "wrongDomain", "names another EIP-712 domain of the token");
  const receivers = {
    ...{ escrow: [pins.escrow], exact: pins.payees },
    ...{ commerce: pins.operators, channel: pins.gates },
  }[route];
  const isReceiver = receivers?.includes(offer.payTo) === true;
  demandThat(isReceiver, "wrongPayTo", `wants ${offer.payTo} to be paid`);
  const isPayee = pins.payees === undefined || pins.payees.includes(quote.payee);
  demandThat(isPayee, "wrongPayee", `wants ${quote.payee} to be paid in the end`);
  const [asked, quoted] = [BigInt(amount), BigInt(quote.amount)];
  const isPriced = asked > 0n && asked === quoted && quote.token === offer.asset;
  demandThat(isPriced, "wrongQuote", "asks for something else than it has quoted");
  const isHash =
    quote.requestHash === demand.requestHash || tokenSaltOf(offer, demand) !== undefined;
  const isOfRequest = isHash && quote.path === PATH;
  demandThat(isOfRequest, "wrongRequest", "quotes a price of another request");
  demandThat(
    asked <= left.perCall,
    "tooMuch",
    `asks for ${amount}, and ${left.perCall} is the most for a call`,
  );
  demandThat(
    asked <= left.session,
    "sessionSpent",
    `asks for ${amount}, and ${left.session} is left of the session's budget`,
  );
  const isInTime = quote.expiresAt > now && offer.maxTimeoutSeconds > 0;
  demandThat(isInTime, "expired", "makes an offer that is over");
  if (route === "exact") {
    demandThat(quote.payee === offer.payTo, "wrongPayee", "quotes a price for another payee");
    return;
  }
  const isKinds = (quote.kinds & ENCLAVE_KINDS) === quote.kinds && quote.kinds > 0;
  demandThat(isKinds, "wrongTerms", "wants other results to count than enclaves'");
  const isNode = enclaveNode === undefined || quote.node === enclaveNode;
  demandThat(isNode, "wrongNode", "wants results of another node to be paid for");
  if (route === "channel") {
    const isGate = offer.receiverAuthorizer === offer.payTo;
    demandThat(isGate, "wrongPayTo", "wants somebody else than the gate to claim");
    const { withdrawDelay = 0 } = offer;
    const isDelay = withdrawDelay > 0 && withdrawDelay <= maxWindow;
    demandThat(isDelay, "wrongTerms", `wants withdrawals to take ${withdrawDelay} seconds`);
    return;
  }
  if (offer.commerce !== undefined) {
    requireCommerce(offer.commerce, demandThat, { offer, maxWindow, now });
    return;
  }
  const isWindow = quote.captureWindow > 0 && quote.captureWindow <= maxWindow;
  demandThat(
    isWindow,
    "wrongTerms",
    `wants the escrow to hold the money for ${quote.captureWindow} seconds`,
  );
  const clone = facilitatorOf({ escrow: pins.escrow ?? "", terms: quote });
  demandThat(
    offer.facilitator === clone,
    "wrongFacilitator",
    "names a facilitator that does not bind the terms",
  );
}

/** What the hash that is signed makes of an offer, besides what is compared for every route. */
function requireCommerce(
  terms: CommerceTerms,
  demandThat: (isSo: boolean, code: string, what: string) => void,
  known: { offer: Offer; maxWindow: number; now: number },
): void {
  const { captureDeadline, refundDeadline } = terms;
  const { maxWindow, now, offer } = known;
  const isOperator = terms.captureAuthorizer === offer.payTo;
  demandThat(isOperator, "wrongPayTo", "wants somebody else than the operator to capture");
  const isPublished = collectorOf(terms.escrow) !== undefined;
  demandThat(isPublished, "wrongEscrow", `wants ${terms.escrow} to hold the money`);
  const [first, last] = endsOf(offer.quote.requestHash);
  const isBound = terms.receiverAuthorizer === first && terms.policy === last;
  demandThat(isBound, "wrongRequest", "binds the payment to another request");
  const isFree = terms.minFeeBps === 0 && terms.maxFeeBps === 0 && terms.feeRecipient === NOBODY;
  demandThat(isFree, "wrongTerms", "wants a fee of the public escrow's");
  const isWindow =
    captureDeadline >= Number(validUntilOf(offer, now)) &&
    refundDeadline >= captureDeadline &&
    refundDeadline <= now + maxWindow;
  demandThat(
    isWindow,
    "wrongTerms",
    `wants the money to be captured until ${captureDeadline}, and given back until ${refundDeadline}`,
  );
}

/** What is signed for an offer: texts and numbers as they are sent. */
export type Authorization =
  | {
      permit2Authorization: {
        from: string;
        permitted: { token: string; amount: string };
        spender: string;
        nonce: string;
        deadline: string;
        witness: { to: string; facilitator: string; validAfter: string };
      };
    }
  | {
      authorization: {
        from: string;
        to: string;
        value: string;
        validAfter: string;
        validBefore: string;
        nonce: string;
      };
      /** of the route `commerce`: of what the nonce is made besides the offer */
      salt?: string;
      saltNonce?: string;
    };

/** Until when what is signed for an offer now can be used. */
export const validUntilOf = ({ maxTimeoutSeconds }: Offer, now: number): string =>
  String(now + Math.min(maxTimeoutSeconds, MOST_SECONDS));

/** @param signed.nonce of the salt of the request; of the route `commerce` the nonce that is signed is made of it, and of the offer */
export function authorizationOf(
  offer: Offer,
  signed: { chainId: string; payer: string; nonce: string; validUntil: string },
): Authorization {
  const { amount, asset, commerce, facilitator, payTo } = offer;
  const { chainId, nonce, payer, validUntil } = signed;
  if (facilitator !== undefined) {
    return {
      permit2Authorization: {
        from: payer,
        permitted: { token: asset, amount },
        spender: UPTO_PROXY,
        nonce: String(BigInt(nonce)),
        deadline: validUntil,
        witness: { to: payTo, facilitator, validAfter: "0" },
      },
    };
  }
  const transfer = { from: payer, value: amount, validAfter: "0", validBefore: validUntil };
  if (commerce === undefined) return { authorization: { ...transfer, to: payTo, nonce } };
  const made = commerceNonceOf({ ...offer, commerce }, { chainId, saltNonce: nonce, validUntil });
  const to = collectorOf(commerce.escrow) ?? NOBODY;
  return {
    ...{ authorization: { ...transfer, to, nonce: made.nonce }, salt: made.salt, saltNonce: nonce },
  };
}

/** What a payment is called by its payer: the nonce that is signed. */
export const nonceIn = (authorization: Authorization, nonce: string): string =>
  "authorization" in authorization ? authorization.authorization.nonce : nonce;

/** The same as wallets take it; the domain is the pinned token's, or Permit2's. */
export function typedDataOf(authorization: Authorization, { chainId, token }: ReadPins): TypedData {
  if ("authorization" in authorization) {
    const { address: verifyingContract, name, version } = token;
    const isReceived = authorization.saltNonce !== undefined;
    return {
      domain: { name, version, chainId: Number(chainId), verifyingContract },
      types: isReceived ? RECEIVE_TYPES : TRANSFER_TYPES,
      primaryType: isReceived ? "ReceiveWithAuthorization" : "TransferWithAuthorization",
      message: authorization.authorization,
    };
  }
  const { from: _payer, ...message } = authorization.permit2Authorization;
  return {
    domain: { name: "Permit2", chainId: Number(chainId), verifyingContract: PERMIT2 },
    types: UPTO_PERMIT_TYPES,
    primaryType: "PermitWitnessTransferFrom",
    message,
  };
}
