import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { StoragePlace } from "@haca/protocol/addressBook";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { replaceFile } from "@haca/protocol/replaceFile";
import { type SolcLayout, storagePlaces } from "./storagePlaces.ts";

/** What is used of the compiler's output: of its syntax trees, and of its storage layouts. */
export type SyntaxFacts = {
  /** by their numbers in the trees */
  immutableNames: ReadonlyMap<number, string>;
  /** names of the sources that a source imports itself */
  imports: ReadonlyMap<string, readonly string[]>;
  /** of the contracts that witnesses show, by their names; none where the compiler was not asked for it */
  storage: ReadonlyMap<string, readonly StoragePlace[]>;
};

/** As they are kept. Whoever changes this gives the files another name. */
type Kept = {
  immutableNames: [number, string][];
  imports: [string, string[]][];
  storage: [string, StoragePlace[]][];
};

const WITNESSED: ReadonlySet<string> = new Set(
  CONTRACT_ROWS.filter(({ isWitnessed }) => isWitnessed).map(({ name }) => name),
);

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
  const { immutableNames, imports, storage } = kept;
  return {
    immutableNames: new Map(immutableNames),
    imports: new Map(imports),
    storage: new Map(storage),
  };
}

function readKept(path: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Partial<Kept>;
    const { immutableNames, imports, storage } = kept;
    return Array.isArray(immutableNames) && Array.isArray(imports) && Array.isArray(storage)
      ? { immutableNames, imports, storage }
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
    output: {
      sources: Record<string, { ast: Node }>;
      contracts?: Record<string, Record<string, { storageLayout?: SolcLayout }>>;
    };
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
  const storage = Object.values(output.contracts ?? {})
    .flatMap((contracts) => Object.entries(contracts))
    .flatMap(([name, { storageLayout }]): Kept["storage"] =>
      WITNESSED.has(name) && storageLayout !== undefined
        ? [[name, storagePlaces(storageLayout)]]
        : [],
    );
  return { immutableNames, imports, storage };
}

/** What is read of the compiler's syntax tree: state variables are children of contracts, imports have a path. */
type Node = {
  id: number;
  name?: string;
  mutability?: string;
  absolutePath?: string;
  nodes?: Node[];
};
