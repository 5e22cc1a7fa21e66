import { keccak } from "../bytes.ts";

type Kind = "nodes" | "codes";

/** Nodes of tries, and contracts' codes, by their hashes, and which of them were asked for. */
export class WitnessParts {
  readonly #parts = { nodes: new Map<string, string>(), codes: new Map<string, string>() };
  readonly #used = { nodes: new Set<string>(), codes: new Set<string>() };

  /** Whether it is new. */
  add(kind: Kind, part: string): boolean {
    const hash = keccak(part);
    const isNew = !this.#parts[kind].has(hash);
    this.#parts[kind].set(hash, part);
    return isNew;
  }

  /** Throws where there is no such part. */
  take(kind: Kind, hash: string): string {
    const found = this.#parts[kind].get(hash);
    if (found === undefined) throw new Error("the witness does not show all that is asked of it");
    this.#used[kind].add(hash);
    return found;
  }

  /** The parts that were asked for. */
  used(kind: Kind): readonly string[] {
    return [...this.#used[kind]].map((hash) => this.take(kind, hash));
  }

  /** Throws where a part is left that nobody asked for. */
  requireUsed(): void {
    const kinds = ["nodes", "codes"] as const;
    if (kinds.every((kind) => this.#used[kind].size === this.#parts[kind].size)) return;
    throw new Error("the witness has a part that nothing leads to");
  }
}
