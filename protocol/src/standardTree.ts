import { getBytes, keccak256 } from "ethers";

/**
 * OpenZeppelin's standard Merkle tree, over leaf hashes: leaves sorted, a complete binary tree in an array whose root is
 * first and whose leaves are last in descending order, pairs hashed in ascending order. It says nothing about how many
 * leaves there are, nor that each is there once: what must have one place each is in a page (`resultPage.ts`).
 */
export type StandardTree = {
  /** `2 n - 1` hashes */
  nodes: readonly string[];
  /** index of a leaf, as it was given -> its place in `nodes` */
  places: readonly number[];
};

export const hashSortedPair = (a: string, b: string): string =>
  keccak256(getBytes(a < b ? a + b.slice(2) : b + a.slice(2)));

/** Builds the tree over at least one leaf, each 0x and 64 lower-case hex digits. */
export function buildStandardTree(hashes: readonly string[]): StandardTree {
  const leaves = hashes
    .map((hash, index) => ({ index, hash }))
    .sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
  const nodes = new Array<string>(2 * leaves.length - 1);
  const places = new Array<number>(leaves.length);
  leaves.forEach(({ index, hash }, rank) => {
    const place = nodes.length - 1 - rank;
    nodes[place] = hash;
    places[index] = place;
  });
  for (let place = leaves.length - 2; place >= 0; place -= 1) {
    nodes[place] = hashChildren({ nodes, place });
  }
  return { nodes, places };
}

/** What the node in a place of a tree has to be, by its children. */
export function hashChildren(parameters: { nodes: readonly string[]; place: number }): string {
  const { nodes, place } = parameters;
  return hashSortedPair(nodes[2 * place + 1] ?? "", nodes[2 * place + 2] ?? "");
}

/** The sibling hashes from a place in `nodes` up to the root. */
export function standardProof(parameters: { nodes: readonly string[]; place: number }): string[] {
  const { nodes, place } = parameters;
  const proof: string[] = [];
  for (let node = place; node > 0; node = (node - 1) >> 1) {
    const sibling = nodes[node % 2 === 0 ? node - 1 : node + 1];
    if (sibling !== undefined) proof.push(sibling);
  }
  return proof;
}
