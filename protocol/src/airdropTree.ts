import { getBytes, keccak256, toBeHex } from "ethers";
import { BaseError } from "./baseError.ts";

/** One claim; its index in the airdrop is its place in the list. */
export type AirdropEntry = {
  account: string;
  /** smallest units */
  amount: bigint;
};

/**
 * OpenZeppelin's standard Merkle tree over `(uint256 index, address account, uint256 amount)`: leaves hashed twice
 * and sorted, a complete binary tree in an array whose root is first and whose leaves are last, pairs hashed in
 * ascending order.
 */
export type AirdropTree = {
  /** `2 n - 1` hashes */
  nodes: readonly string[];
  /** entry index -> place of its leaf in `nodes` */
  places: readonly number[];
};

const word = (value: bigint): string => toBeHex(value, 32).slice(2);

/** keccak256(keccak256(abi.encode(index, account, amount))) */
export function airdropLeaf(parameters: { index: number } & AirdropEntry): string {
  const { index, account, amount } = parameters;
  return keccak256(
    keccak256(
      `0x${word(BigInt(index))}${account.slice(2).toLowerCase().padStart(64, "0")}${word(amount)}`,
    ),
  );
}

const hashPair = (a: string, b: string): string =>
  keccak256(getBytes(a < b ? a + b.slice(2) : b + a.slice(2)));

/** Builds the tree. Error: `airdrop.empty`. */
export function buildAirdropTree(entries: readonly AirdropEntry[]): AirdropTree {
  if (entries.length === 0) {
    throw new BaseError({ code: "airdrop.empty", message: "an airdrop needs at least one entry" });
  }
  const leaves = entries
    .map((entry, index) => ({ index, hash: airdropLeaf({ index, ...entry }) }))
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

export function airdropRoot(tree: AirdropTree): string {
  const root = tree.nodes[0];
  if (root === undefined)
    throw new BaseError({ code: "airdrop.empty", message: "the tree is empty" });
  return root;
}

/** The sibling hashes from an entry's leaf up to the root. Error: `airdrop.indexUnknown`. */
export function airdropProof(parameters: { tree: AirdropTree; index: number }): string[] {
  const { tree, index } = parameters;
  const place = tree.places[index];
  if (place === undefined) {
    throw new BaseError({
      code: "airdrop.indexUnknown",
      message: `index ${index} is not in the airdrop, which has ${tree.places.length} entries`,
    });
  }
  const proof: string[] = [];
  for (let node = place; node > 0; node = (node - 1) >> 1) {
    const sibling = tree.nodes[node % 2 === 0 ? node - 1 : node + 1];
    if (sibling !== undefined) proof.push(sibling);
  }
  return proof;
}
