import { keccak, toBytes, toHex } from "../bytes.ts";
import { decodeRlp, fixed, isList, numberOf } from "./rlp.ts";

/** What a block's header says that is used here, and its hash, which is the block's. */
export type BlockHeader = { hash: string; stateRoot: string; number: bigint; time: bigint };

/** Places in a header, the same on all chains of today: what came later stands behind. */
const STATE_ROOT = 3;
const NUMBER = 8;
const TIME = 11;
/** From the first block on; and more than any chain has. */
const LEAST_FIELDS = 15;
const MOST_FIELDS = 32;

/** @param header RLP, as hex. Throws for what is no header */
export function readBlockHeader(header: string): BlockHeader {
  const list = decodeRlp(toBytes(header));
  if (!isList(list) || list.items.some(isList)) throw new Error("the header is no list of bytes");
  const { items } = list;
  if (items.length < LEAST_FIELDS || items.length > MOST_FIELDS) {
    throw new Error("the header has another number of fields than a block's");
  }
  const [number, time] = [numberOf(items[NUMBER]), numberOf(items[TIME])];
  if ((number | time) >> 64n !== 0n) throw new Error("the header's number or time is too large");
  return { hash: keccak(header), stateRoot: toHex(fixed(items[STATE_ROOT], 32)), number, time };
}
