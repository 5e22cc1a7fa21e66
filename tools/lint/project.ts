import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What documents can speak of: the project's files and folders, and the names of its `npm run` commands. */
export type Project = {
  /** Files that git does not ignore, by their paths from the root. */
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
  /** Script names by package name; those of the root stand under "". */
  readonly scripts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether git ignores a path: what commands make. */
  readonly isIgnored: (path: string) => boolean;
  readonly read: (file: string) => string;
};

/** The project at `root`, as git sees its files: new ones too, ignored and deleted ones not. */
export function readProject(root: string): Project {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const paths = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\0");
  const files = paths.filter((path) => path !== "" && existsSync(join(root, path)));
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  return {
    files: new Set(files),
    folders: foldersOf(files),
    scripts: scriptsOf(files, read),
    isIgnored: (path) => spawnSync("git", ["check-ignore", "-q", path], { cwd: root }).status === 0,
    read,
  };
}

/** Every folder that holds one of the files, and the folders above it. */
export function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

function scriptsOf(files: readonly string[], read: (file: string) => string) {
  const scripts = new Map<string, Set<string>>();
  for (const file of files.filter((path) => /^([\w-]+\/)?package\.json$/.test(path))) {
    const { name, scripts: own } = JSON.parse(read(file)) as {
      name: string;
      scripts?: Record<string, string>;
    };
    scripts.set(file === "package.json" ? "" : name, new Set(Object.keys(own ?? {})));
  }
  return scripts;
}
