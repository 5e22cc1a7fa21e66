import { concat, dataLength, isHexString, keccak256, toUtf8Bytes } from "ethers";
import { BaseError } from "./baseError.ts";

/**
 * The tree over a page of results: the bindings of the settlement of pages.
 *
 * A page is 256 consecutive nonces of one node; leaf i stands for nonce `256 * page + i`, always in that place, and a
 * nonce without a result has the constant EMPTY_LEAF. The tree has depth 8 and hashes pairs in their order, so a proof's
 * path is the nonce itself and there is exactly one leaf for each: a sorted tree could hide a second one.
 *
 *   EMPTY_LEAF = keccak256("haca.page.empty")
 *   leaf       = keccak256(bytes1(0x00) || EIP-712 digest of the InferenceResult || keccak256(signature))
 *   node       = keccak256(bytes1(0x01) || left || right)
 *
 * The first byte keeps leaves and inner nodes apart: neither can be shown as the other.
 */
export const PAGE_DEPTH = 8;
export const PAGE_SIZE: number = 2 ** PAGE_DEPTH;

/** keccak256("haca.page.empty") */
export const EMPTY_LEAF: string = keccak256(toUtf8Bytes("haca.page.empty"));

const LEAF_PREFIX = "0x00";
const NODE_PREFIX = "0x01";
/** Pages are numbered by the upper 88 of a nonce's 96 bits. */
const PAGE_LIMIT = 1n << 88n;

/** Levels from the 256 leaves up to the root. */
export type ResultPageTree = { readonly levels: readonly (readonly string[])[] };

/** Page of a nonce, and its place in there. */
export function placeOfNonce(nonce: bigint): { page: bigint; index: number } {
  const size = BigInt(PAGE_SIZE);
  return { page: nonce / size, index: Number(nonce % size) };
}

/** The nonce that a leaf stands for. Errors: `page.numberOutOfRange`, `page.indexOutOfRange`. */
export function nonceOfPlace(parameters: { page: bigint; index: number }): bigint {
  const { page, index } = parameters;
  if (page < 0n || page >= PAGE_LIMIT) {
    throw new BaseError({
      code: "page.numberOutOfRange",
      message: `page must be in [0, 2^88), got ${page}`,
    });
  }
  requireIndex(index);
  return page * BigInt(PAGE_SIZE) + BigInt(index);
}

/** Leaf of a signed result. */
export function resultLeaf(parameters: {
  /** EIP-712 digest of the result */
  digest: string;
  /** what its node signed it with; bytes as hex */
  signature: string;
}): string {
  const { digest, signature } = parameters;
  requireWord({ name: "digest", value: digest });
  return keccak256(concat([LEAF_PREFIX, digest, keccak256(signature)]));
}

/** Node above two neighbours. */
export const hashNode = (left: string, right: string): string =>
  keccak256(concat([NODE_PREFIX, left, right]));

/** Builds a page from its leaves by place; every other place is empty. Errors: `page.indexOutOfRange`, `page.notAWord`. */
export function buildResultPage(leaves: ReadonlyMap<number, string>): ResultPageTree {
  const bottom = new Array<string>(PAGE_SIZE).fill(EMPTY_LEAF);
  for (const [index, leaf] of leaves) {
    requireIndex(index);
    requireWord({ name: `leaf ${index}`, value: leaf });
    bottom[index] = leaf.toLowerCase();
  }
  const levels = [bottom];
  for (let below = bottom; below.length > 1; ) {
    const level = Array.from({ length: below.length / 2 }, (_, i) =>
      hashNode(below[2 * i] ?? "", below[2 * i + 1] ?? ""),
    );
    levels.push(level);
    below = level;
  }
  return { levels };
}

export function resultPageRoot({ levels }: ResultPageTree): string {
  const root = levels.at(-1)?.[0];
  if (root === undefined) throw new BaseError({ code: "page.noRoot", message: "no page's tree" });
  return root;
}

/** The eight siblings of a leaf, from the leaf's own up to the root's child. Error: `page.indexOutOfRange`. */
export function resultPageProof(parameters: { tree: ResultPageTree; index: number }): string[] {
  const { tree, index } = parameters;
  requireIndex(index);
  return tree.levels.slice(0, PAGE_DEPTH).map((level, depth) => level[(index >> depth) ^ 1] ?? "");
}

/** Whether a proof leads from a leaf in this place to the root; false for whatever is malformed. */
export function verifyResultPageProof(parameters: {
  root: string;
  leaf: string;
  index: number;
  proof: readonly string[];
}): boolean {
  const { root, leaf, index, proof } = parameters;
  const words = [root, leaf, ...proof];
  if (proof.length !== PAGE_DEPTH || !isIndex(index) || !words.every(isWord)) return false;
  const climbed = proof.reduce(
    (hash, sibling, depth) =>
      (index >> depth) % 2 === 0 ? hashNode(hash, sibling) : hashNode(sibling, hash),
    leaf,
  );
  return climbed === root.toLowerCase();
}

const isIndex = (index: number): boolean =>
  Number.isInteger(index) && index >= 0 && index < PAGE_SIZE;
const isWord = (value: string): boolean => isHexString(value) && dataLength(value) === 32;

function requireIndex(index: number): void {
  if (isIndex(index)) return;
  throw new BaseError({
    code: "page.indexOutOfRange",
    message: `a page has places 0 to ${PAGE_SIZE - 1}, got ${index}`,
  });
}

function requireWord(parameters: { name: string; value: string }): void {
  const { name, value } = parameters;
  if (isWord(value)) return;
  throw new BaseError({
    code: "page.notAWord",
    message: `${name} must be 0x and 64 hex digits, got ${JSON.stringify(value)}`,
  });
}
