import { COMMERCE_SCHEME } from "@haca/protocol/commerceEscrows";
import { decimal, hex, malformed, type Reader, text } from "../receipt/readers.ts";
import type { CommerceTerms } from "./commerce.ts";
import type { EscrowTerms } from "./escrow.ts";
import { refusal } from "./paymentError.ts";

/** What a node offers to be paid by, in a 402 of x402. Addresses and hashes are in lower case. */
export type Offer = {
  scheme: string;
  network: string;
  asset: string;
  amount: string;
  payTo: string;
  maxTimeoutSeconds: number;
  /** the token's EIP-712 domain */
  name: string;
  version: string;
  facilitator: string | undefined;
  /** of a channel: who claims besides its receiver, seconds that a withdrawal takes, the least that is brought in */
  receiverAuthorizer?: string;
  withdrawDelay?: number;
  minDeposit?: string;
  commerce?: CommerceTerms;
  quote: Quote;
  /** as it came: it goes back as it is */
  accepted: object;
};

/** `extra.haca` of an offer: what the price is for, and how long it holds. */
export type Quote = EscrowTerms & { path: string; amount: string; expiresAt: number };

/** `error` is x402's reason, where the node has one. */
export type Offers = { resource: unknown; offers: readonly Offer[]; error: unknown };

const MOST_OFFERS = 16;
const MOST_CHARACTERS = 65_536;
const UINT_BITS = 256;
const TEXT = text(200);

/** Addresses come with a checksum, or without. */
const lowerHex =
  (length: number): Reader<string> =>
  (value, path) =>
    hex(length)(typeof value === "string" ? value.toLowerCase() : value, path);
const ADDRESS = lowerHex(20);

const count: Reader<number> = (value, path) => {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw malformed(path, "must be a whole number");
};

/**
 * The offers in a header `payment-required`.
 * @param schemes of x402 that are looked at; others are passed over
 * @throws BaseError `payment.malformed`
 */
export function readOffers(header: string | undefined, schemes: readonly string[]): Offers {
  if (header === undefined) throw broken("a node asks to be paid and does not say what");
  let value: unknown;
  try {
    if (header.length > MOST_CHARACTERS) throw new Error("too long");
    const bytes = Uint8Array.from(atob(header), (character) => character.charCodeAt(0));
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw broken("the offers of a node cannot be read");
  }
  const [version, accepts, resource] = ["x402Version", "accepts", "resource"].map((name) =>
    fieldOf(value, name),
  );
  if (version !== 2) throw broken("a node asks to be paid by another version of x402 than 2");
  if (!Array.isArray(accepts) || accepts.length > MOST_OFFERS) {
    throw broken("the offers of a node are no list");
  }
  const error = fieldOf(value, "error");
  return { resource, error, offers: accepts.flatMap((accepted) => readOffer(accepted, schemes)) };
}

/** One offer; none of another scheme, or of `auth-capture` by Permit2. @throws as `readOffers` */
export function readOffer(accepted: unknown, schemes: readonly string[]): Offer[] {
  const scheme = fieldOf(accepted, "scheme");
  if (typeof scheme !== "string" || !schemes.includes(scheme)) return [];
  const extra = fieldOf(accepted, "extra");
  const quote = fieldOf(extra, "haca");
  const isCommerce = scheme === COMMERCE_SCHEME;
  if (isCommerce && fieldOf(extra, "assetTransferMethod") === "permit2") return [];
  const of = <T>(from: unknown, name: string, read: Reader<T>): T =>
    read(fieldOf(from, name), name);
  try {
    return [
      {
        scheme,
        network: of(accepted, "network", TEXT),
        asset: of(accepted, "asset", ADDRESS),
        amount: of(accepted, "amount", decimal(UINT_BITS)),
        payTo: of(accepted, "payTo", ADDRESS),
        maxTimeoutSeconds: of(accepted, "maxTimeoutSeconds", count),
        name: of(extra, "name", TEXT),
        version: of(extra, "version", TEXT),
        ...(scheme === "batch-settlement" ? channelTerms(extra, of) : {}),
        ...(isCommerce ? { commerce: commerceTerms(extra, of) } : {}),
        facilitator: scheme === "upto" ? of(extra, "facilitatorAddress", ADDRESS) : undefined,
        quote: {
          path: of(quote, "path", TEXT),
          amount: of(quote, "amount", decimal(UINT_BITS)),
          expiresAt: of(quote, "expiresAt", count),
          node: of(quote, "node", ADDRESS),
          payee: of(quote, "payee", ADDRESS),
          requestHash: of(quote, "requestHash", lowerHex(32)),
          token: of(quote, "token", ADDRESS),
          feeBps: of(quote, "feeBps", count),
          kinds: of(quote, "kinds", count),
          captureWindow: of(quote, "captureWindow", count),
        },
        accepted: accepted as object,
      },
    ];
  } catch (error) {
    throw broken(`an offer of a node cannot be read: ${(error as Error).message}`);
  }
}

type Of = <T>(from: unknown, name: string, read: Reader<T>) => T;

function channelTerms(extra: unknown, of: Of) {
  const least = fieldOf(extra, "minDeposit");
  return {
    receiverAuthorizer: of(extra, "receiverAuthorizer", ADDRESS),
    withdrawDelay: of(extra, "withdrawDelay", count),
    ...(least === undefined ? {} : { minDeposit: of(extra, "minDeposit", decimal(128)) }),
  };
}

const commerceTerms = (extra: unknown, of: Of): CommerceTerms => ({
  escrow: of(extra, "authCaptureEscrow", ADDRESS),
  captureAuthorizer: of(extra, "captureAuthorizer", ADDRESS),
  receiverAuthorizer: of(extra, "receiverAuthorizer", ADDRESS),
  policy: of(extra, "policy", ADDRESS),
  captureDeadline: of(extra, "captureDeadline", count),
  refundDeadline: of(extra, "refundDeadline", count),
  minFeeBps: of(extra, "minFeeBps", count),
  maxFeeBps: of(extra, "maxFeeBps", count),
  feeRecipient: of(extra, "feeRecipient", ADDRESS),
});

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const broken = (message: string) => refusal("malformed", message);
