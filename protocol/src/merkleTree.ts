import { getBytes, keccak256 } from "ethers";
import { BaseError } from "./baseError.ts";

/**
 * OpenZeppelin's standard Merkle tree: leaves sorted, a complete binary tree in an array whose root is first and whose
 * leaves are last, pairs hashed in ascending order. What a leaf is a hash of, and that it was hashed twice, is its
 * maker's business.
 */
export type MerkleTree = {
  /** `2 n - 1` hashes, lower case */
  nodes: readonly string[];
  /** number of a leaf in the list that was given -> its place in `nodes` */
  places: readonly number[];
};

const hashPair = (a: string, b: string): string =>
  keccak256(getBytes(a < b ? a + b.slice(2) : b + a.slice(2)));

/** Builds the tree over hashes of 32 bytes in lower case; the same one may be there twice. Error: `merkleTree.empty`. */
export function buildMerkleTree(hashes: readonly string[]): MerkleTree {
  if (hashes.length === 0) {
    throw new BaseError({ code: "merkleTree.empty", message: "a tree needs at least one leaf" });
  }
  const leaves = hashes
    .map((hash, index) => ({ index, hash }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const nodes = new Array<string>(2 * leaves.length - 1);
  const places = new Array<number>(leaves.length);
  leaves.forEach(({ index, hash }, rank) => {
    const place = nodes.length - 1 - rank;
    nodes[place] = hash;
    places[index] = place;
  });
  for (let place = leaves.length - 2; place >= 0; place -= 1) {
    nodes[place] = hashPair(nodes[2 * place + 1] ?? "", nodes[2 * place + 2] ?? "");
  }
  return { nodes, places };
}

/** Error: `merkleTree.empty`. */
export function merkleRoot(tree: MerkleTree): string {
  const root = tree.nodes[0];
  if (root === undefined) {
    throw new BaseError({ code: "merkleTree.empty", message: "the tree is empty" });
  }
  return root;
}

/** The sibling hashes from a leaf up to the root. Error: `merkleTree.indexUnknown`. */
export function merkleProof(parameters: { tree: MerkleTree; index: number }): string[] {
  const { tree, index } = parameters;
  const place = tree.places[index];
  if (place === undefined) {
    throw new BaseError({
      code: "merkleTree.indexUnknown",
      message: `leaf ${index} is not in the tree, which has ${tree.places.length}`,
    });
  }
  const proof: string[] = [];
  for (let node = place; node > 0; node = (node - 1) >> 1) {
    const sibling = tree.nodes[node % 2 === 0 ? node - 1 : node + 1];
    if (sibling !== undefined) proof.push(sibling);
  }
  return proof;
}

/** Whether a path of sorted pairs leads from a hash to a root, all of them 32 bytes in lower case. */
export function isMerkleProof(parameters: {
  proof: readonly string[];
  root: string;
  leafHash: string;
}): boolean {
  const { proof, root, leafHash } = parameters;
  return proof.reduce(hashPair, leafHash) === root;
}
