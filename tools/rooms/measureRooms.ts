import { findCycles, groupGraph } from "./findCycles.ts";
import { findImports } from "./findImports.ts";
import type { Tree } from "./readTree.ts";
import { isTest, MAY_IMPORT, nodeOf, packageOf, roomOf } from "./rooms.ts";

/** Lines of a room's files: how many files, and how long they are. */
export type Lines = {
  readonly room: string;
  readonly files: number;
  readonly lines: number;
  readonly median: number;
  readonly p90: number;
  readonly maximum: number;
};

export type Cycles = {
  /** of folders and crates at the top */
  readonly packages: readonly string[][];
  /** of rooms */
  readonly rooms: readonly string[][];
  /** of files */
  readonly files: readonly string[][];
};

/** Lines by room, tests apart. */
export function measureLines(tree: Tree): Lines[] {
  const rooms = new Map<string, number[]>();
  for (const [path, text] of tree) {
    if (path.endsWith(".json")) continue;
    const room = isTest(path) ? `${packageOf(path)} (tests)` : roomOf(path);
    rooms.set(room, [...(rooms.get(room) ?? []), lineCount(text)]);
  }
  return [...rooms]
    .map(([room, counts]) => {
      const sorted = counts.sort((a, b) => a - b);
      // The nearest rank: a length that a file has.
      const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      return {
        ...{ room, files: sorted.length, lines: sorted.reduce((sum, count) => sum + count, 0) },
        ...{ median: quantile(0.5), p90: quantile(0.9), maximum: quantile(1) },
      };
    })
    .sort((a, b) => a.room.localeCompare(b.room));
}

/** Imports that come back to where they start, tests left out. */
export function measureCycles(tree: Tree): Cycles {
  const graph = sourceImports(tree);
  return {
    packages: findCycles(groupGraph(graph, packageOf)),
    rooms: findCycles(groupGraph(graph, nodeOf)),
    files: findCycles(graph),
  };
}

/** Imports that `MAY_IMPORT` does not have, as "file -> file". */
export function findForbidden(tree: Tree): string[] {
  return [...sourceImports(tree)].flatMap(([from, targets]) => {
    const allowed = MAY_IMPORT[packageOf(from)];
    if (allowed === undefined) return [];
    return [...targets]
      .filter((to) => packageOf(to) !== packageOf(from) && !allowed.includes(packageOf(to)))
      .map((to) => `${from} -> ${to}`);
  });
}

/** What each source file imports; tests are left out, but a source that imports one is not. */
function sourceImports(tree: Tree): Map<string, Set<string>> {
  return new Map([...findImports(tree)].filter(([path]) => !isTest(path)));
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
