import { dataSlice, getAddress, toBeHex } from "ethers";
import { BaseError } from "./baseError.ts";

const NONCE_BITS = 96n;
const PAGE_NUMBER_BITS = NONCE_BITS - 8n;
const NONCE_LIMIT = 1n << NONCE_BITS;

/** `bytes32(uint160 node, uint96 nonce)`: the name of a request and the key of its settlement. */
export function encodeRequestId(parameters: { node: string; nonce: bigint }): string {
  const { node, nonce } = parameters;
  if (nonce < 0n || nonce >= NONCE_LIMIT) {
    throw new BaseError({
      code: "requestId.nonceOutOfRange",
      message: `nonce must be in [0, 2^96), got ${nonce}`,
    });
  }
  return toBeHex((BigInt(getAddress(node)) << NONCE_BITS) | nonce, 32);
}

/** Number of the ledger page that has nonces `256 * index` to `256 * index + 255` of a node. */
export const ledgerPageOf = (parameters: { node: string; index: bigint }): bigint =>
  (BigInt(getAddress(parameters.node)) << PAGE_NUMBER_BITS) | parameters.index;

/** The request in a place, 0 to 255, of a ledger page. */
export const requestIdAt = (parameters: { ledgerPage: bigint; index: number }): string =>
  toBeHex((parameters.ledgerPage << 8n) | BigInt(parameters.index), 32);

/** The node whose requests an enclave's results have: its id's last 20 bytes. */
export const nodeOfEnclave = (teeId: string): string => getAddress(dataSlice(teeId, 12));

/** The two parts of a request id; `node` is checksummed. */
export function decodeRequestId(requestId: string): { node: string; nonce: bigint } {
  if (!/^0x[0-9a-fA-F]{64}$/.test(requestId)) {
    throw new BaseError({
      code: "requestId.malformed",
      message: `requestId must be 32 bytes of hex, got ${JSON.stringify(requestId)}`,
    });
  }
  return {
    node: getAddress(toBeHex(BigInt(requestId) >> NONCE_BITS, 20)),
    nonce: nonceOf(requestId),
  };
}

/** The node's number of a request id that is one. */
export const nonceOf = (requestId: string): bigint => BigInt(requestId) & (NONCE_LIMIT - 1n);

/** Ledger page and bit of a request. */
export function placeInLedger(requestId: string): { page: bigint; bit: bigint } {
  const { node, nonce } = decodeRequestId(requestId);
  return { page: ledgerPageOf({ node, index: nonce >> 8n }), bit: 1n << (nonce & 0xffn) };
}
