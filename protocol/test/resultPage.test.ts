import { concat, keccak256, toUtf8Bytes } from "ethers";
import { describe, expect, it } from "vitest";
import {
  buildResultPage,
  EMPTY_LEAF,
  nonceOfPlace,
  PAGE_DEPTH,
  PAGE_SIZE,
  placeOfNonce,
  resultLeaf,
  resultPageProof,
  resultPageRoot,
  verifyResultPageProof,
} from "../src/resultPage.ts";
import { catchError } from "./catchError.ts";

const leafOf = (i: number): string =>
  resultLeaf({
    digest: keccak256(toUtf8Bytes(`digest ${i}`)),
    signature: `0x${"ab".repeat(i + 1)}`,
  });
const pageOf = (...places: number[]) =>
  buildResultPage(new Map(places.map((place) => [place, leafOf(place)])));

/** The root by its definition, from the top, without levels. */
function rootOf(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0] ?? "";
  const half = leaves.length / 2;
  return keccak256(concat(["0x01", rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half))]));
}

describe("a page's tree", () => {
  it("has the leaf, the empty leaf and the nodes of its definition", () => {
    const digest = keccak256("0x1234");
    expect(resultLeaf({ digest, signature: "0xabcd" })).toBe(
      keccak256(concat(["0x00", digest, keccak256("0xabcd")])),
    );
    expect(EMPTY_LEAF).toBe(keccak256(toUtf8Bytes("haca.page.empty")));
    const places = [0, 1, 5, 128, 255];
    const leaves = Array.from({ length: 256 }, (_, i) =>
      places.includes(i) ? leafOf(i) : EMPTY_LEAF,
    );
    expect(resultPageRoot(pageOf(...places))).toBe(rootOf(leaves));
  });

  it("has known roots, which its twin in Solidity has too", () => {
    expect(EMPTY_LEAF).toMatchInlineSnapshot(
      `"0x4b1c0237087aec7de99f599f5e7168fc3c6cfefcc6b89a467cf3b3de0db3df66"`,
    );
    expect(resultPageRoot(pageOf())).toMatchInlineSnapshot(
      `"0x16dbcaaffe2055ad7c72c7db766362b8d9338462b5040b82f349436fabd89e27"`,
    );
    expect(leafOf(7)).toMatchInlineSnapshot(
      `"0xfb905a8f5bdb05620bb6eac0c5cae159b77763bc8ee399cd66a5a35becbeb544"`,
    );
    expect(resultPageRoot(pageOf(7))).toMatchInlineSnapshot(
      `"0x9dc7e55d7a69143431ae8c0d995e114ee7077eec94756b29fbba662cc3b85117"`,
    );
  });

  it("proves every place, in that place only, results and empty ones alike", () => {
    const tree = pageOf(0, 3, 4, 200, 255);
    const root = resultPageRoot(tree);
    for (let index = 0; index < PAGE_SIZE; index += 1) {
      const proof = resultPageProof({ tree, index });
      const leaf = tree.levels[0]?.[index] ?? "";
      expect(proof).toHaveLength(PAGE_DEPTH);
      expect(verifyResultPageProof({ root, leaf, index, proof })).toBe(true);
      // A proof's path is the place: no other place takes the same leaf with it, unless all of it is empty.
      const other = index ^ 1;
      if (leaf !== tree.levels[0]?.[other]) {
        expect(verifyResultPageProof({ root, leaf, index: other, proof })).toBe(false);
      }
    }
  });

  it("has no second leaf for a place", () => {
    const tree = pageOf(9, 10);
    const root = resultPageRoot(tree);
    const proof = resultPageProof({ tree, index: 9 });
    for (const leaf of [leafOf(10), EMPTY_LEAF, leafOf(11)]) {
      expect(verifyResultPageProof({ root, leaf, index: 9, proof })).toBe(false);
    }
  });

  it("shows no inner node as a leaf, nor the other way round", () => {
    const tree = pageOf(2, 3);
    const root = resultPageRoot(tree);
    const inner = tree.levels[1]?.[1] ?? "";
    const proof = resultPageProof({ tree, index: 2 });
    for (const index of [0, 1, 2]) {
      expect(verifyResultPageProof({ root, leaf: inner, index, proof: proof.slice(1) })).toBe(
        false,
      );
    }
    const long = [leafOf(3), ...proof];
    expect(verifyResultPageProof({ root, leaf: leafOf(2), index: 2, proof: long })).toBe(false);
  });

  it("takes nothing malformed for a proof", () => {
    const tree = pageOf(1);
    const good = {
      root: resultPageRoot(tree),
      leaf: leafOf(1),
      index: 1,
      proof: resultPageProof({ tree, index: 1 }),
    };
    expect(verifyResultPageProof(good)).toBe(true);
    const bad = [
      { index: 257 },
      { index: -255 },
      { index: 1.5 },
      { proof: good.proof.map((word) => word.slice(0, 64)) },
      { proof: good.proof.slice(0, 7) },
      { leaf: `${good.leaf}00` },
      { root: "0x" },
      { root: good.leaf },
    ];
    for (const change of bad) expect(verifyResultPageProof({ ...good, ...change })).toBe(false);
  });
});

describe("nonces and places", () => {
  it("are the same, both ways", () => {
    const limit = 1n << 96n;
    for (const nonce of [0n, 255n, 256n, 513n, limit - 1n]) {
      expect(nonceOfPlace(placeOfNonce(nonce))).toBe(nonce);
    }
    expect(placeOfNonce(513n)).toEqual({ page: 2n, index: 1 });
  });

  it.each([
    ["page.numberOutOfRange", () => nonceOfPlace({ page: 1n << 88n, index: 0 })],
    ["page.numberOutOfRange", () => nonceOfPlace({ page: -1n, index: 0 })],
    ["page.indexOutOfRange", () => nonceOfPlace({ page: 0n, index: 256 })],
    ["page.indexOutOfRange", () => pageOf(256)],
    ["page.indexOutOfRange", () => resultPageProof({ tree: pageOf(), index: -1 })],
    ["page.notAWord", () => buildResultPage(new Map([[0, "0x12"]]))],
    ["page.notAWord", () => resultLeaf({ digest: "0x12", signature: "0x" })],
  ])("out of range are refused: %s", (code, action) => {
    expect(catchError(action).code).toBe(code);
  });
});
