import { concat, getAddress, keccak256, toBeHex } from "ethers";
import type { InferenceResult } from "./inferenceResult.ts";
import { PAGE_DEPTH, PAGE_SIZE, type ResultPageTree } from "./resultPage.ts";

/**
 * Many results of a page at once, as `IChannelGate.countPage` takes them: packed records, and the hashes of the tree that
 * do not follow from them. `contracts/payments/PageOpening.sol` reads both.
 */

const INDEX_BYTES = 1;
const TIMESTAMP_BYTES = 5;
const PRICE_BYTES = 16;

/** A result with what it is signed with. */
export type SignedResult = { result: InferenceResult; signature: string };

/** The requester of a channel's results: the last 20 bytes of its id. */
export const channelAccount = (channelId: string): string =>
  getAddress(`0x${channelId.slice(2 + 24)}`);

/** Packed records of results, of one requester and one model version. */
export const packRecords = (results: readonly SignedResult[]): string =>
  concat(
    results.map(({ result, signature }) =>
      concat([
        toBeHex(BigInt(result.requestId) % BigInt(PAGE_SIZE), INDEX_BYTES),
        toBeHex(result.timestamp, TIMESTAMP_BYTES),
        toBeHex(result.price, PRICE_BYTES),
        result.inputHash,
        result.outputHash,
        keccak256(signature),
      ]),
    ),
  );

/** Hashes that lead from the leaves at these places to the root: level by level from the leaves up, from left to right. */
export function openingSiblings(parameters: {
  tree: ResultPageTree;
  places: readonly number[];
}): string[] {
  const { tree, places } = parameters;
  const siblings: string[] = [];
  let known = [...new Set(places)].sort((a, b) => a - b);
  for (let depth = 0; depth < PAGE_DEPTH; depth++) {
    const level = tree.levels[depth] ?? [];
    const isKnown = new Set(known);
    for (const place of known) {
      const neighbour = place ^ 1;
      if (!isKnown.has(neighbour)) siblings.push(level[neighbour] ?? "");
    }
    known = [...new Set(known.map((place) => place >> 1))];
  }
  return siblings;
}
