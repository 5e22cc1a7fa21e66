import type { PageLeaf } from "@haca/protocol/pageSettlement";
import {
  buildResultPage,
  EMPTY_LEAF,
  hashNode,
  PAGE_DEPTH,
  PAGE_SIZE,
} from "@haca/protocol/resultPage";
import type { KnownLeaf } from "./readContent.ts";

/** Hashes of subtrees without a result, from the leaf upwards. */
const EMPTY = buildResultPage(new Map()).levels.map(([hash = ""]) => hash);

const nodeOf = (place: number, level: number): number => (PAGE_SIZE >> level) + (place >> level);
const LEVELS = Array.from({ length: PAGE_DEPTH }, (_, level) => level);

/**
 * What answers have taught about a page's tree. Each shows a leaf and the eight neighbours of its way to the root, and so the
 * hashes of everything beside that way: where one of them is that of an empty subtree, all of it is known.
 */
export class KnownTree {
  /** hashes by their numbers in the tree: 1 is the root, 2n and 2n + 1 are below n */
  readonly #hashes = new Map<number, string>();
  readonly #leaves = new Map<number, KnownLeaf>();

  /** Takes leaves that lead to the root. */
  constructor(leaves: readonly KnownLeaf[]) {
    for (const known of leaves) {
      const { index, siblings } = known.leaf;
      this.#leaves.set(index, known);
      let hash = known.leafHash;
      for (const level of LEVELS) {
        const node = nodeOf(index, level);
        const sibling = siblings[level]?.toLowerCase() ?? "";
        this.#hashes.set(node, hash).set(node ^ 1, sibling);
        hash = node % 2 === 0 ? hashNode(hash, sibling) : hashNode(sibling, hash);
      }
    }
  }

  /** Leaves that were shown, by their places. */
  get leaves(): ReadonlyMap<number, KnownLeaf> {
    return this.#leaves;
  }

  /** How many hashes that are not known yet an answer for this place would show. */
  gainOf(place: number): number {
    return LEVELS.filter((level) => this.#hashAt(nodeOf(place, level) ^ 1, level) === undefined)
      .length;
  }

  /** What shows that a place is empty, where that is known: its way to the root, with any result. */
  emptyLeafAt(place: number): KnownLeaf | undefined {
    const leafHash = this.#hashAt(nodeOf(place, 0), 0);
    const [any] = this.#leaves.values();
    if (leafHash !== EMPTY_LEAF || any === undefined) return undefined;
    const siblings = LEVELS.flatMap((level) => this.#hashAt(nodeOf(place, level) ^ 1, level) ?? []);
    if (siblings.length < PAGE_DEPTH) return undefined;
    const leaf: PageLeaf = { ...any.leaf, index: place, siblings };
    return { leaf, leafHash };
  }

  /** The places from which an answer teaches most; the leaves there were not shown, and are not known to be empty. */
  bestOf(places: readonly number[]): number[] {
    const open = places.filter(
      (place) => !this.#leaves.has(place) && this.#hashAt(nodeOf(place, 0), 0) !== EMPTY_LEAF,
    );
    const gains = open.map((place) => this.gainOf(place));
    const most = Math.max(...gains);
    return open.filter((_, number) => gains[number] === most);
  }

  #hashAt(node: number, level: number): string | undefined {
    const hash = this.#hashes.get(node);
    if (hash !== undefined) return hash;
    // Below an empty subtree everything is empty.
    for (let above = level + 1; above <= PAGE_DEPTH; above++) {
      if (this.#hashes.get(node >> (above - level)) === EMPTY[above]) return EMPTY[level];
    }
    return undefined;
  }
}
