import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "@haca/protocol/replaceFile";

/** What is used of the syntax trees of one compilation. */
export type SyntaxFacts = {
  /** by their numbers in the trees */
  immutableNames: ReadonlyMap<number, string>;
  /** names of the sources that a source imports itself */
  imports: ReadonlyMap<string, readonly string[]>;
};

/** As they are kept. Whoever changes this gives the files another name. */
type Kept = { immutableNames: [number, string][]; imports: [string, string[]][] };

/**
 * The facts of the compiler's output in `outputPath`. They are kept in `keptPath`, since the trees are tens of megabytes,
 * and every command would read them again. The caller names it by the compilation, so that it never goes out of date; one
 * that cannot be read is made anew.
 */
export function syntaxFacts(parameters: { outputPath: string; keptPath: string }): SyntaxFacts {
  const { outputPath, keptPath } = parameters;
  let kept = readKept(keptPath);
  if (kept === undefined) {
    kept = readTrees(outputPath);
    keep(keptPath, kept);
  }
  return { immutableNames: new Map(kept.immutableNames), imports: new Map(kept.imports) };
}

function readKept(path: string): Kept | undefined {
  try {
    const { immutableNames, imports } = JSON.parse(readFileSync(path, "utf8")) as Partial<Kept>;
    return Array.isArray(immutableNames) && Array.isArray(imports)
      ? { immutableNames, imports }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Without it the next command is slower, and nothing else: the checkout may be another user's. */
function keep(path: string, kept: Kept): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    replaceFile({ path, text: JSON.stringify(kept) });
  } catch {}
}

function readTrees(path: string): Kept {
  const { output } = JSON.parse(readFileSync(path, "utf8")) as {
    output: { sources: Record<string, { ast: Node }> };
  };
  const immutableNames: Kept["immutableNames"] = [];
  const imports: Kept["imports"] = [];
  for (const [source, { ast }] of Object.entries(output.sources)) {
    imports.push([source, (ast.nodes ?? []).flatMap(({ absolutePath }) => absolutePath ?? [])]);
    for (const contract of ast.nodes ?? []) {
      for (const { id, name, mutability } of contract.nodes ?? []) {
        if (mutability === "immutable" && name !== undefined) immutableNames.push([id, name]);
      }
    }
  }
  return { immutableNames, imports };
}

/** What is read of the compiler's syntax tree: state variables are children of contracts, imports have a path. */
type Node = {
  id: number;
  name?: string;
  mutability?: string;
  absolutePath?: string;
  nodes?: Node[];
};
