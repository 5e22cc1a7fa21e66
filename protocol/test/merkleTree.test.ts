import { id } from "ethers";
import { expect, it } from "vitest";
import { buildMerkleTree, isMerkleProof, merkleProof, merkleRoot } from "../src/merkleTree.ts";

const hashes = (count: number) => Array.from({ length: count }, (_, i) => id(`leaf ${i}`));

it.each([1, 2, 3, 7, 20])("proves each of %i leaves by its own path alone", (count) => {
  const leaves = hashes(count);
  const tree = buildMerkleTree(leaves);
  const root = merkleRoot(tree);
  for (const [index, leafHash] of leaves.entries()) {
    const proof = merkleProof({ tree, index });
    expect(isMerkleProof({ proof, root, leafHash })).toBe(true);
    expect(isMerkleProof({ proof, root, leafHash: id("another") })).toBe(false);
    expect(isMerkleProof({ proof: [...proof, id("more")], root, leafHash })).toBe(false);
    expect(isMerkleProof({ proof, root: id("another"), leafHash })).toBe(false);
  }
});

it("has the same root in whatever order the leaves come", () => {
  const leaves = hashes(9);
  const root = merkleRoot(buildMerkleTree(leaves));
  expect(merkleRoot(buildMerkleTree(leaves.toReversed()))).toBe(root);
  expect(merkleRoot(buildMerkleTree(leaves.slice(1)))).not.toBe(root);
});

it("proves a leaf that is there twice, both times", () => {
  const leaves = [...hashes(3), ...hashes(2)];
  const tree = buildMerkleTree(leaves);
  for (const [index, leafHash] of leaves.entries()) {
    const proof = merkleProof({ tree, index });
    expect(isMerkleProof({ proof, root: merkleRoot(tree), leafHash })).toBe(true);
  }
});

it("refuses a tree of nothing and a leaf that is not there", () => {
  expect(() => buildMerkleTree([])).toThrow("at least one leaf");
  const tree = buildMerkleTree(hashes(3));
  expect(() => merkleProof({ tree, index: 3 })).toThrow("which has 3");
  expect(() => merkleRoot({ nodes: [], places: [] })).toThrow("empty");
});
