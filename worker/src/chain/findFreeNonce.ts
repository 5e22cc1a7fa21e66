import { ledgerPageOf } from "@haca/protocol/requestId";
import { type Chain, callView } from "./chain.ts";

const WORD_BITS = 256n;
/** Words of the bitmap that are read at once. */
const WINDOW = 16;
/** Nonces beyond the last settled one that a lost queue may have promised to clients. */
const SAFETY_DISTANCE = 256n;

/**
 * The lowest request nonce, `from` or later, that is safe to give out.
 *
 * That is `from`, unless the chain shows settlements at or beyond it: then the queue is younger than the
 * chain's memory of this node (a lost or restored database), receipts may be out for nonces that are not
 * settled yet, and the answer is a word's start well beyond the last settled nonce. The search ends at 4096
 * nonces in a row (16 words) without a settlement.
 */
export async function findFreeNonce(parameters: {
  chain: Chain;
  node: string;
  from: bigint;
}): Promise<bigint> {
  const { chain, node, from } = parameters;
  let last: bigint | undefined;
  for (let start = from / WORD_BITS; ; start += BigInt(WINDOW)) {
    const indices = Array.from({ length: WINDOW }, (_, offset) => start + BigInt(offset));
    const words = await Promise.all(
      indices.map((index) =>
        callView({
          ...{ chain, contract: "settlement", name: "occupied" },
          values: [ledgerPageOf({ node, index })],
        }),
      ),
    );
    let found = false;
    for (const [offset, [word]] of words.entries()) {
      const bits = word as bigint;
      if (bits === 0n) continue;
      found = true;
      last = (start + BigInt(offset)) * WORD_BITS + BigInt(bits.toString(2).length - 1);
    }
    if (!found) break;
  }
  if (last === undefined || last < from) return from;
  return ((last + SAFETY_DISTANCE) / WORD_BITS + 1n) * WORD_BITS;
}
