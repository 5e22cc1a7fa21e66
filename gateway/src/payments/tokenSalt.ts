import { TOKEN_SALT_TAG } from "@haca/protocol/tokenSalt";
import { concat, dataLength, dataSlice, keccak256 } from "ethers";
import { inputHashOf } from "../profile/hashes.ts";
import type { Payable } from "./payable.ts";
import { isOpg, type PaymentSettings } from "./paymentSettings.ts";

const TAG_BYTES = dataLength(TOKEN_SALT_TAG);
const SALT_BYTES = 32;

/** Whether a salt is one that this file makes. A client's own is none, but for one in 2^64. */
export const isTokenSalt = (salt: string): boolean => salt.startsWith(TOKEN_SALT_TAG);

/**
 * The request as it is paid in a token. A signed price says of no token which it is in, and what a job takes of a result is its
 * payer, its node and the hash of the request: so no hash is paid for in two tokens. Otherwise who has paid for a request in both
 * would have the cheaper number of units captured of each.
 */
export function requestIn(settings: Pick<PaymentSettings, "token">, request: Payable): Payable {
  if (isOpg(settings)) return request;
  const hash = keccak256(concat([settings.token.address, request.salt]));
  const salt = concat([TOKEN_SALT_TAG, dataSlice(hash, 0, SALT_BYTES - TAG_BYTES)]);
  return { ...request, salt, inputHash: inputHashOf(salt, request.body) };
}
