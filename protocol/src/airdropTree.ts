import { keccak256, toBeHex } from "ethers";
import { BaseError } from "./baseError.ts";
import { buildMerkleTree, type MerkleTree, merkleProof, merkleRoot } from "./merkleTree.ts";

/** One claim; its index in the airdrop is its place in the list. */
export type AirdropEntry = {
  account: string;
  /** smallest units */
  amount: bigint;
};

/** OpenZeppelin's standard Merkle tree over `(uint256 index, address account, uint256 amount)`, leaves hashed twice. */
export type AirdropTree = MerkleTree;

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

/** Builds the tree. Error: `airdrop.empty`. */
export function buildAirdropTree(entries: readonly AirdropEntry[]): AirdropTree {
  if (entries.length === 0) {
    throw new BaseError({ code: "airdrop.empty", message: "an airdrop needs at least one entry" });
  }
  return buildMerkleTree(entries.map((entry, index) => airdropLeaf({ index, ...entry })));
}

/** Error: `merkleTree.empty`. */
export const airdropRoot = (tree: AirdropTree): string => merkleRoot(tree);

/** The sibling hashes from an entry's leaf up to the root. Error: `airdrop.indexUnknown`. */
export function airdropProof(parameters: { tree: AirdropTree; index: number }): string[] {
  const { tree, index } = parameters;
  if (tree.places[index] === undefined) {
    throw new BaseError({
      code: "airdrop.indexUnknown",
      message: `index ${index} is not in the airdrop, which has ${tree.places.length} entries`,
    });
  }
  return merkleProof({ tree, index });
}
