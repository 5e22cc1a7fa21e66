import {
  AbiCoder,
  getAddress,
  Interface,
  id,
  keccak256,
  TypedDataEncoder,
  ZeroAddress,
} from "ethers";
import {
  COMMERCE_PAYMENT_TYPES,
  COMMERCE_SALT_TYPES,
  type CommerceDeployment,
} from "./commerceEscrows.ts";

/** Of the public escrow, what is asked besides what the contracts here call. */
export const commerceEscrow = new Interface([
  "function paymentState(bytes32 paymentHash) view returns (bool isCollected, uint120 held, uint120 refundable)",
]);

/** As `ICommerceEscrow.PaymentInfo`. */
export type CommercePayment = {
  operator: string;
  payer: string;
  receiver: string;
  token: string;
  maxAmount: bigint;
  /** unix seconds; first in which it is not collected any more */
  preApprovalExpiry: bigint;
  /** unix seconds; first in which it is not captured any more */
  authorizationExpiry: bigint;
  /** unix seconds */
  refundExpiry: bigint;
  minFeeBps: bigint;
  maxFeeBps: bigint;
  feeReceiver: string;
  salt: bigint;
};

/** As `ICommerceOperator.Job`. */
export type CommerceJob = { payment: CommercePayment; requestHash: string; saltNonce: bigint };

/** As `ICommerceOperator.Terms`. */
export type OperatorTerms = {
  node: string;
  payee: string;
  token: string;
  feeReceiver: string;
  /** hundredths of a percent of the price */
  feeBps: bigint;
  /** of `ESCROW_KINDS`, added up */
  kinds: bigint;
};

const WIDTHS = COMMERCE_PAYMENT_TYPES.PaymentInfo.map(({ type }) => type).join(",");

/** The selector of a version's `capture`, which takes the fee in smallest units or in hundredths of a percent. */
export const captureSelector = (version: CommerceDeployment["version"]): string =>
  id(`capture((${WIDTHS}),uint256,${version === "1.0" ? "uint16" : "uint256"},address)`).slice(
    0,
    SELECTOR_DIGITS,
  );

/** As `ICommerceOperator.Status` counts. */
export const OPERATOR_STATUSES = ["None", "Open", "Captured", "Returned"] as const;

/** with 0x */
const SELECTOR_DIGITS = 10;
/** of an address, in hexadecimal digits */
const DIGITS = 40;
const HASH_DIGITS = 64;

/** The two addresses of the scheme that name a request: the first and the last 20 bytes of its hash. */
export const endsOfRequest = (
  requestHash: string,
): { receiverAuthorizer: string; policy: string } => ({
  receiverAuthorizer: getAddress(requestHash.slice(0, 2 + DIGITS)),
  policy: getAddress(`0x${requestHash.slice(-DIGITS)}`),
});

/** The hash of a request by its two ends; undefined where they are not of one hash. */
export function requestOfEnds(ends: {
  receiverAuthorizer: string;
  policy: string;
}): string | undefined {
  const first = ends.receiverAuthorizer.slice(2).toLowerCase();
  const last = ends.policy.slice(2).toLowerCase();
  const shared = 2 * DIGITS - HASH_DIGITS;
  return first.endsWith(last.slice(0, shared)) ? `0x${first}${last.slice(shared)}` : undefined;
}

/** What of an offer a stock client's payment is made of. Times are unix seconds. */
export type CommerceOffer = {
  asset: string;
  payTo: string;
  amount: string;
  extra: {
    captureAuthorizer: string;
    captureDeadline: number;
    refundDeadline: number;
    minFeeBps: number;
    maxFeeBps: number;
    feeRecipient: string;
  };
};

/** The payment that a stock client makes of an offer, with what it adds itself. */
export const paymentForOffer = (parameters: {
  offer: CommerceOffer;
  payer: string;
  preApprovalExpiry: bigint;
  salt: bigint;
}): CommercePayment => {
  const { offer, payer, preApprovalExpiry, salt } = parameters;
  const { amount, extra } = offer;
  // Offers come from others, too, in whatever letters.
  const [operator, receiver, token, feeReceiver] = [
    ...[extra.captureAuthorizer, offer.payTo, offer.asset, extra.feeRecipient],
  ].map((address) => getAddress(address.toLowerCase())) as [string, string, string, string];
  return {
    ...{ operator, payer, receiver, token, feeReceiver },
    ...{ maxAmount: BigInt(amount), preApprovalExpiry, salt },
    authorizationExpiry: BigInt(extra.captureDeadline),
    refundExpiry: BigInt(extra.refundDeadline),
    ...{ minFeeBps: BigInt(extra.minFeeBps), maxFeeBps: BigInt(extra.maxFeeBps) },
  };
};

/** The salt of a payment for a request, as stock clients make it: `saltOf` without a chain. */
export function commerceSalt(parameters: { requestHash: string; saltNonce: bigint }): bigint {
  const { requestHash, saltNonce } = parameters;
  const bound = { ...endsOfRequest(requestHash), saltNonce };
  return BigInt(
    TypedDataEncoder.hashStruct("x402AuthCaptureSaltBinding", COMMERCE_SALT_TYPES, bound),
  );
}

/** Chain and escrow that a payment is hashed for. */
export type CommerceDomain = { chainId: bigint; escrow: string };

/** The hash of a payment, which names it and its job: bytes32. */
export function commerceHash(domain: CommerceDomain, payment: CommercePayment): string {
  const inner = TypedDataEncoder.hashStruct("PaymentInfo", COMMERCE_PAYMENT_TYPES, payment);
  const types = ["uint256", "address", "bytes32"];
  const values = [domain.chainId, domain.escrow, inner];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values));
}

/** What a payer signs as the nonce of an EIP-3009 authorisation, or as a number of a permit: the hash without the payer. */
export const commerceNonce = (domain: CommerceDomain, payment: CommercePayment): string =>
  commerceHash(domain, { ...payment, payer: ZeroAddress });
