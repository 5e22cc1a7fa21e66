/** Groups of nodes that reach each other, each sorted: the strongly connected components of more than one. */
export function findCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const indices = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[][] = [];

  // Tarjan's algorithm.
  const visit = (node: string): number => {
    const index = indices.size;
    indices.set(node, index);
    let low = index;
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!indices.has(next)) low = Math.min(low, visit(next));
      else if (onStack.has(next)) low = Math.min(low, indices.get(next) ?? low);
    }
    if (low === index) {
      const group = stack.splice(stack.indexOf(node));
      for (const member of group) onStack.delete(member);
      if (group.length > 1) cycles.push(group.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!indices.has(node)) visit(node);
  return cycles.sort(([a = ""], [b = ""]) => a.localeCompare(b));
}

/** The graph between the groups that `groupOf` puts the nodes in; nodes without one are left out. */
export function groupGraph(
  graph: ReadonlyMap<string, ReadonlySet<string>>,
  groupOf: (node: string) => string | undefined,
): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const [node, targets] of graph) {
    const group = groupOf(node);
    if (group === undefined) continue;
    const found = groups.get(group) ?? new Set();
    groups.set(group, found);
    for (const target of [...targets].map(groupOf)) {
      if (target !== undefined && target !== group) found.add(target);
    }
  }
  return groups;
}
