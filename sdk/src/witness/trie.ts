import { keccak_256 } from "@noble/hashes/sha3.js";
import { toHex } from "../bytes.ts";
import { decodeRlp, isList, type Rlp, type RlpList } from "./rlp.ts";

/**
 * Merkle-Patricia tries whose keys are hashes, as a chain's state and its contracts' storage are. What is not written as the
 * protocol writes it throws: a trie has one form.
 */

/** A trie's node by its hash. Throws where there is none. */
export type NodeSource = (hash: string) => Uint8Array;

const HASH_LENGTH = 32;
const BRANCH_ITEMS = 17;
/** keccak256 of the RLP of no bytes. */
const EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

/** What a trie has under the hash of `key`; undefined where it is shown to have nothing. */
export function valueInTrie(
  root: string,
  key: Uint8Array,
  nodeOf: NodeSource,
): Uint8Array | undefined {
  if (root === EMPTY_ROOT) return undefined;
  return find(asNode(decodeRlp(nodeOf(root))), nibblesOf(keccak_256(key)), nodeOf);
}

/** Each call takes nibbles off the path, of which there are 64. */
function find(node: RlpList, path: Uint8Array, nodeOf: NodeSource): Uint8Array | undefined {
  const { items } = node;
  if (items.length === BRANCH_ITEMS) {
    requireBranch(items, path);
    const child = items[path[0] ?? BRANCH_ITEMS];
    if (isNothing(child)) return undefined;
    return find(referred(child, nodeOf), path.subarray(1), nodeOf);
  }
  const [written, behind] = items;
  const { isLeaf, nibbles } = pathOf(written);
  if (isLeaf) {
    if (nibbles.length !== path.length || !(behind instanceof Uint8Array) || isNothing(behind)) {
      throw new Error("trie: a leaf of another length, or without a value");
    }
    return isSame(nibbles, path) ? behind : undefined;
  }
  if (nibbles.length === 0 || nibbles.length >= path.length || !isReference(behind)) {
    throw new Error("trie: an extension that leads nowhere");
  }
  if (!isSame(nibbles, path.subarray(0, nibbles.length))) return undefined;
  const next = referred(behind, nodeOf);
  if (next.items.length !== BRANCH_ITEMS) throw new Error("trie: an extension before no branch");
  return find(next, path.subarray(nibbles.length), nodeOf);
}

const isNothing = (value: Rlp | undefined): boolean =>
  value instanceof Uint8Array && value.length === 0;

/** A hash, or a node that is shorter than one. */
const isReference = (value: Rlp | undefined): value is Rlp =>
  value !== undefined && (isList(value) ? value.size < HASH_LENGTH : value.length === HASH_LENGTH);

/** All keys have one length, so that no branch has a value; and one with a single child would be none. */
function requireBranch(items: readonly Rlp[], path: Uint8Array): void {
  const children = items.slice(0, -1).filter((child) => !isNothing(child));
  const isSound = path.length > 0 && children.length > 1 && children.every(isReference);
  if (!isSound || !isNothing(items.at(-1))) throw new Error("trie: a branch that cannot be one");
}

function referred(value: Rlp | undefined, nodeOf: NodeSource): RlpList {
  if (!isReference(value)) throw new Error("trie: no node where one belongs");
  if (isList(value)) return asNode(value);
  const bytes = nodeOf(toHex(value));
  if (bytes.length < HASH_LENGTH) throw new Error("trie: a hash of a node that is shorter");
  return asNode(decodeRlp(bytes));
}

function asNode(value: Rlp): RlpList {
  if (isList(value) && (value.items.length === 2 || value.items.length === BRANCH_ITEMS)) {
    return value;
  }
  throw new Error("trie: no node where one belongs");
}

/** Nibbles with two flags before them: whether it is a leaf's, and whether their number is odd. */
function pathOf(value: Rlp | undefined): { isLeaf: boolean; nibbles: Uint8Array } {
  if (!(value instanceof Uint8Array) || value.length === 0) {
    throw new Error("trie: no path where one belongs");
  }
  const all = nibblesOf(value);
  const [flags = 0, padding = 0] = all;
  const isOdd = (flags & 1) === 1;
  if (flags > 3 || (!isOdd && padding !== 0)) throw new Error("trie: a path with other flags");
  return { isLeaf: flags > 1, nibbles: all.subarray(isOdd ? 1 : 2) };
}

const nibblesOf = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: 2 * bytes.length }, (_, index) => {
    const byte = bytes[index >> 1] ?? 0;
    return index % 2 === 0 ? byte >> 4 : byte & 0xf;
  });

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((nibble, index) => nibble === b[index]);
