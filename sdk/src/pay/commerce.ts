import {
  COMMERCE_PAYMENT_TYPES,
  COMMERCE_SALT_TYPES,
  commerceDeploymentAt,
} from "@haca/protocol/commerceEscrows";
import { keccak, sliceHex, wordOf } from "../bytes.ts";
import { addressWord } from "../typedData.ts";
import { hashStruct } from "./hashTypedData.ts";

/** What an offer of x402's scheme `auth-capture` says besides: all of it is in the hash that is signed. Times are unix seconds. */
export type CommerceTerms = {
  /** the public escrow */
  escrow: string;
  captureAuthorizer: string;
  /** two addresses that are no accounts: the ends of the request's hash */
  receiverAuthorizer: string;
  policy: string;
  captureDeadline: number;
  refundDeadline: number;
  minFeeBps: number;
  maxFeeBps: number;
  feeRecipient: string;
};

export const NOBODY = `0x${"00".repeat(20)}`;

/** What brings tokens to a public escrow by EIP-3009; undefined where it is none of the published. */
export const collectorOf = (escrow: string): string | undefined =>
  commerceDeploymentAt(escrow)?.erc3009Collector.toLowerCase();

/** The first and the last 20 bytes of the hash of a request. */
export const endsOf = (requestHash: string): readonly [string, string] => [
  sliceHex(requestHash, 0, 20),
  sliceHex(requestHash, 12),
];

/** The number of an EIP-3009 authorisation for a payment into the public escrow: the payment's hash without its payer. */
export function commerceNonceOf(
  offer: { asset: string; amount: string; payTo: string; commerce: CommerceTerms },
  { chainId, saltNonce, validUntil }: { chainId: string; saltNonce: string; validUntil: string },
): { nonce: string; salt: string } {
  const { commerce } = offer;
  const salt = hashStruct(COMMERCE_SALT_TYPES, "x402AuthCaptureSaltBinding", {
    ...{ receiverAuthorizer: commerce.receiverAuthorizer, policy: commerce.policy, saltNonce },
  });
  const payment = hashStruct(COMMERCE_PAYMENT_TYPES, "PaymentInfo", {
    ...{ operator: commerce.captureAuthorizer, payer: NOBODY, receiver: offer.payTo },
    ...{ token: offer.asset, maxAmount: offer.amount, preApprovalExpiry: validUntil },
    authorizationExpiry: commerce.captureDeadline,
    refundExpiry: commerce.refundDeadline,
    ...{ minFeeBps: commerce.minFeeBps, maxFeeBps: commerce.maxFeeBps },
    ...{ feeReceiver: commerce.feeRecipient, salt },
  });
  const nonce = keccak(wordOf(BigInt(chainId)), addressWord(commerce.escrow), payment);
  return { nonce, salt };
}
