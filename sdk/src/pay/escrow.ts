import { PERMIT2_ADDRESS, UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { keccak, sliceHex, wordOf } from "../bytes.ts";
import { addressWord } from "../typedData.ts";

/** In lower case, as all addresses here. */
export const [PERMIT2, UPTO_PROXY] = [
  PERMIT2_ADDRESS.toLowerCase(),
  UPTO_PROXY_ADDRESS.toLowerCase(),
] as const;

/** Kinds of results that an enclave signs: settled alone, or in a final page. */
export const ENCLAVE_KINDS = (1 << 2) | (1 << 6);

/** What a job of the escrow is about. */
export type EscrowTerms = {
  node: string;
  payee: string;
  requestHash: string;
  token: string;
  /** hundredths of a percent */
  feeBps: number;
  /** bits of what counts as settled */
  kinds: number;
  /** seconds from opening to deadline */
  captureWindow: number;
};

/** EIP-1167, around the address of the code. */
const CLONE_START = "0x3d602d80600a3d3981f3363d3d373d3d3d363d73";
const CLONE_END = "0x5af43d82803e903d91602b57fd5bf3";
/** RLP of a list of an address and the number 1, around the address. */
const LIST_START = "0xd694";
const NONCE_ONE = "0x01";

/** Whom a permit names as facilitator for a job under these terms: a clone whose address binds them. */
export function facilitatorOf({ escrow, terms }: { escrow: string; terms: EscrowTerms }): string {
  const lower = escrow.toLowerCase();
  const salt = keccak(
    ...[addressWord(terms.node), addressWord(terms.payee), terms.requestHash],
    ...[addressWord(terms.token), wordOf(BigInt(terms.feeBps)), wordOf(BigInt(terms.kinds))],
    wordOf(BigInt(terms.captureWindow)),
  );
  const code = sliceHex(keccak(LIST_START, lower, NONCE_ONE), 12);
  return sliceHex(keccak("0xff", lower, salt, keccak(CLONE_START, code, CLONE_END)), 12);
}
