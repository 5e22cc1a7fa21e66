import { TOKEN_SALT_TAG } from "@haca/protocol/tokenSalt";
import { concatHex, keccak, sliceHex } from "../bytes.ts";
import type { PaymentDemand } from "../client/payer.ts";
import type { Offer } from "./readOffers.ts";

/**
 * The salt of the request that is quoted, where another token than OPG pays, by `commerce`: nodes make it of the client's and of the
 * token, so that no hash is paid for in two tokens. Undefined where the quote is not of this request so salted.
 */
export function tokenSaltOf(
  { asset, commerce, quote }: Offer,
  { hashWith, salt }: PaymentDemand,
): string | undefined {
  const made = concatHex(TOKEN_SALT_TAG, sliceHex(keccak(asset, salt), 0, 24));
  return commerce && hashWith(made) === quote.requestHash ? made : undefined;
}
