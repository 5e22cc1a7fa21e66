import { posix } from "node:path";
import type { Tree } from "./readTree.ts";

type Package = { readonly folder: string; readonly exports: Readonly<Record<string, string>> };

/** Which files of a tree each source file imports, types included. */
export function findImports(tree: Tree): Map<string, Set<string>> {
  const packages = packagesOf(tree);
  const imports = new Map<string, Set<string>>();
  for (const [path, text] of tree) {
    const found = path.endsWith(".rs")
      ? rustImports({ path, text, tree })
      : moduleImports({ path, text, packages });
    imports.set(path, new Set(found.filter((target) => target !== path && tree.has(target))));
  }
  return imports;
}

const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
/** TypeScript's and Solidity's statements alike: from "…", import "…", import("…"). */
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g;

function moduleImports(parameters: {
  path: string;
  text: string;
  packages: ReadonlyMap<string, Package>;
}): string[] {
  const { path, text, packages } = parameters;
  return [...text.replace(COMMENT, "").matchAll(SPECIFIER)].flatMap(([, specifier = ""]) => {
    if (specifier.startsWith(".")) return [posix.join(posix.dirname(path), specifier)];
    const [scope, name, ...rest] = specifier.split("/");
    const found = packages.get(`${scope}/${name}`);
    return found === undefined ? [] : exportOf(found, `./${rest.join("/")}`);
  });
}

function exportOf({ folder, exports }: Package, subpath: string): string[] {
  const exact = exports[subpath];
  if (exact !== undefined) return [posix.join(folder, exact)];
  for (const [pattern, target] of Object.entries(exports)) {
    const [start = "", end] = pattern.split("*");
    if (end === undefined || !subpath.startsWith(start) || !subpath.endsWith(end)) continue;
    const middle = subpath.slice(start.length, subpath.length - end.length);
    return [posix.join(folder, target.replace("*", middle))];
  }
  return [];
}

function packagesOf(tree: Tree): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const [path, text] of tree) {
    if (posix.basename(path) !== "package.json") continue;
    const { name, exports = {} } = JSON.parse(text) as {
      name: string;
      exports?: Record<string, string>;
    };
    packages.set(name, { folder: posix.dirname(path), exports });
  }
  return packages;
}

/** Tests inside a file: what they use is not what the file uses. */
const INNER_TESTS = /#\[cfg\(test\)\]\s*mod \w+ \{[\s\S]*/;
const USE = /\buse\s+([^;]+);/g;
const INLINE = /\b(?:crate|super)(?:::\w+)+/g;

function rustImports(parameters: { path: string; text: string; tree: Tree }): string[] {
  const { path, tree } = parameters;
  const [crate, inside] = path.split("/src/");
  if (crate === undefined || inside === undefined) return [];
  const text = parameters.text.replace(COMMENT, "").replace(INNER_TESTS, "");
  const own = inside.replace(/(\/mod)?\.rs$/, "").split("/");
  const isRoot = ["lib", "main"].includes(own.join("/"));
  const module = isRoot ? [] : own;
  const uses = [...text.matchAll(USE)].flatMap(([, tree = ""]) => expand(tree.replace(/\s+/g, "")));
  const inline = [...text.matchAll(INLINE)].map(([written]) => written);
  return [...uses, ...inline].flatMap((written) => {
    const names = written.split("::");
    let base: string[] | undefined;
    if (names[0] === "crate") base = [];
    if (names[0] === "super") base = module;
    if (base === undefined) return [];
    const up = names.filter((name) => name === "super").length;
    const absolute = [...base.slice(0, base.length - up), ...names.slice(Math.max(up, 1))];
    for (let length = absolute.length; length > 0; length--) {
      const start = `${crate}/src/${absolute.slice(0, length).join("/")}`;
      const found = [`${start}.rs`, `${start}/mod.rs`].find((file) => tree.has(file));
      if (found !== undefined) return [found];
    }
    return [];
  });
}

/** `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`. */
function expand(use: string): string[] {
  const open = use.indexOf("{");
  if (open === -1) return [use];
  const items: string[] = [];
  let depth = 0;
  let item = "";
  for (const letter of use.slice(open + 1, use.lastIndexOf("}"))) {
    if (letter === "," && depth === 0) {
      items.push(item);
      item = "";
      continue;
    }
    if (letter === "{") depth += 1;
    if (letter === "}") depth -= 1;
    item += letter;
  }
  const named = [...items, item].filter((text) => text !== "");
  return named.flatMap((text) => expand(`${use.slice(0, open)}${text}`));
}
