const DEMOTED_MS = 60_000;

/** What a client remembers of nodes for a minute: who was slow or away. That moves a node back, and none forward. */
export class NodeMemory {
  readonly #demoted = new Map<string, number>();

  demote(node: URL): void {
    this.#demoted.set(node.origin, Date.now() + DEMOTED_MS);
  }

  isDemoted(node: URL): boolean {
    const until = this.#demoted.get(node.origin);
    if (until === undefined) return false;
    if (Date.now() < until) return true;
    this.#demoted.delete(node.origin);
    return false;
  }

  /** Asks a small question, whose time says how fast a node is. */
  async timed<T>(parameters: { node: URL; slowMs: number; ask: () => Promise<T> }): Promise<T> {
    const { ask, node, slowMs } = parameters;
    const before = performance.now();
    const answer = await ask();
    if (performance.now() - before > slowMs) this.demote(node);
    return answer;
  }
}
