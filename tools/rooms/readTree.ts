import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is written by hand, in whatever language. */
const SOURCE = /\.(ts|mts|mjs|sol|rs|circom|cu|cuh|py|sql)$/;

/** The texts of a tree's source files and package.json files by their paths from the root. */
export type Tree = ReadonlyMap<string, string>;

/** The tree of a git revision. */
export function readTree(parameters: { root: string; revision: string }): Tree {
  const { root, revision } = parameters;
  const folder = mkdtempSync(join(tmpdir(), "haca-rooms-"));
  try {
    const archive = join(folder, "tree.tar");
    execFileSync("git", ["archive", "--output", archive, revision], { cwd: root });
    const tree = join(folder, "tree");
    execFileSync("sh", ["-c", 'mkdir "$1" && tar -xf "$0" -C "$1"', archive, tree]);
    const paths = readdirSync(tree, { recursive: true, encoding: "utf8" }).sort();
    const kept = paths.filter((path) => SOURCE.test(path) || /(^|\/)package\.json$/.test(path));
    return new Map(kept.map((path) => [path, readFileSync(join(tree, path), "utf8")]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
