import { checkPage, type PageResult } from "@haca/protocol/blobs/pageBlob";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { leafAt, placesOf } from "@haca/protocol/pageSettlement";
import { EMPTY_LEAF, verifyResultPageProof } from "@haca/protocol/resultPage";
import { id, ZeroAddress } from "ethers";
import { describe, expect, it } from "vitest";
import { KnownTree } from "../src/verifier/knownTree.ts";
import type { KnownLeaf } from "../src/verifier/readContent.ts";

const ALL = Array.from({ length: 32 }, (_, place) => place);
const domain = settlementDomain({ chainId: 1n, settlement: ZeroAddress });
const pageOf = (places: readonly number[]) => {
  const results = places.map(
    (index): PageResult => ({
      ...{ index, modelVersion: id("version"), inputHash: id("in"), outputHash: id(`${index}`) },
      ...{ requester: ZeroAddress, price: 0n, timestamp: 1n, teeId: id("enclave") },
      signature: "0x11",
    }),
  );
  return checkPage({ page: { node: ZeroAddress, page: 0n, results }, domain });
};
const shownOf =
  (page: ReturnType<typeof pageOf>) =>
  (place: number): KnownLeaf => {
    const leaf = leafAt(page, place);
    if (leaf === undefined) throw new Error(`no leaf ${place}`);
    return { leaf, leafHash: page.tree.levels[0]?.[place] ?? "" };
  };

describe("what is known of a tree", () => {
  it("is every leaf's hash after half of them, and every leaf after all of them", () => {
    const show = shownOf(pageOf(ALL));
    const shown: KnownLeaf[] = [];
    const gains: number[] = [];
    for (;;) {
      const tree = new KnownTree(shown);
      const [best] = tree.bestOf(ALL);
      if (best === undefined) break;
      gains.push(tree.gainOf(best));
      shown.push(show(best));
    }
    expect(shown).toHaveLength(32);
    expect(gains.slice(0, 4)).toEqual([8, 4, 3, 3]);
    expect(gains.slice(0, 16).every((gain) => gain > 0)).toBe(true);
    expect(gains.slice(16).every((gain) => gain === 0)).toBe(true);
  });

  it("leaves out places that an answer for another one shows to be empty, and can show that", () => {
    const page = pageOf([0, 1, 2]);
    const show = shownOf(page);
    const tree = new KnownTree([show(0)]);
    const taken = placesOf({ bitmap: page.bitmap | (1n << 7n) | (1n << 200n) });
    expect(tree.bestOf(taken)).toEqual([2]);
    for (const place of [7, 200]) {
      const empty = tree.emptyLeafAt(place);
      expect(empty?.leafHash).toBe(EMPTY_LEAF);
      const proof = empty?.leaf.siblings ?? [];
      const { root } = page;
      expect(verifyResultPageProof({ root, leaf: EMPTY_LEAF, index: place, proof })).toBe(true);
    }
    expect(tree.emptyLeafAt(1)).toBeUndefined();
    // Whether there is something beside a leaf that is not known is not known.
    expect(tree.emptyLeafAt(3)).toBeUndefined();
    expect(new KnownTree([show(2)]).emptyLeafAt(3)?.leaf.index).toBe(3);
    expect(new KnownTree([]).emptyLeafAt(3)).toBeUndefined();
  });
});
